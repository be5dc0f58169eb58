namespace OrleansStream.Functions;

/// <summary>What happens to a record at which a function throws.</summary>
public enum OnError
{
    /// <summary>The attempt ends; the restart strategy decides whether there is another. The default.</summary>
    Fail,

    /// <summary>The record goes to the operator's dead letters, exactly once and without any other effect, and the job goes on.</summary>
    DeadLetter,
}

/// <summary>A record at which a function threw, with the reason.</summary>
/// <typeparam name="T">The type of the record.</typeparam>
/// <param name="Operator">The operator whose function threw.</param>
/// <param name="Record">The record as it came in.</param>
/// <param name="Timestamp">Its event time in milliseconds since 1970.</param>
/// <param name="Key">Its key, written out, behind a <c>KeyBy</c>; otherwise null.</param>
/// <param name="Error">The type and message of what was thrown.</param>
[GenerateSerializer, Immutable, Alias("os.DeadLetter`1")]
public sealed record DeadLetter<T>([property: Id(0)] string Operator, [property: Id(1)] T Record, [property: Id(2)] long Timestamp, [property: Id(3)] string? Key, [property: Id(4)] string Error);

/// <summary>A function of the user's that threw, with all coordinates of the record.</summary>
/// <param name="message">Where it happened.</param>
/// <param name="inner">What was thrown.</param>
[GenerateSerializer, Alias("os.FunctionException")]
internal sealed class FunctionException(string message, Exception inner) : Jobs.StreamException(message, inner);
