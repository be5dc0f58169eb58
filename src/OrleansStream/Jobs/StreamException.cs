namespace OrleansStream.Jobs;

/// <summary>Something that ended or refused a job, with all it knows of where it happened.</summary>
/// <param name="message">What was wrong, where, and what to do about it.</param>
/// <param name="inner">The cause, if there is one.</param>
[GenerateSerializer, Alias("os.StreamException")]
public class StreamException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether another attempt could end otherwise. A malformed input row or a changed graph will be the same next time.</summary>
    public virtual bool IsPermanent => false;
}

/// <summary>Input that cannot be read as what the job declared it to be. The same bytes will be read by another attempt, so the job fails for good.</summary>
/// <param name="message">What was wrong, with file, line and column or the like.</param>
/// <param name="inner">The cause, if there is one.</param>
[GenerateSerializer, Alias("os.BadRecordException")]
public sealed class BadRecordException(string message, Exception? inner = null) : StreamException(message, inner)
{
    /// <inheritdoc/>
    public override bool IsPermanent => true;
}

/// <summary>A job, an argument, a graph or a checkpoint folder that was refused before anything ran.</summary>
/// <param name="message">What was refused and what differs or is missing.</param>
/// <param name="inner">The cause, if there is one.</param>
[GenerateSerializer, Alias("os.JobRefusedException")]
public sealed class JobRefusedException(string message, Exception? inner = null) : StreamException(message, inner)
{
    /// <inheritdoc/>
    public override bool IsPermanent => true;
}
