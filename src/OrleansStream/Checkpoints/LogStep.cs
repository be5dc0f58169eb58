using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>What a protocol over the log wants done next.</summary>
internal enum LogAction
{
    /// <summary>Look whether an entry is there; what it says does not matter.</summary>
    Probe,

    /// <summary>Read an entry.</summary>
    Read,

    /// <summary>Create one's own entry.</summary>
    Create,

    /// <summary>Nothing: the protocol has its result.</summary>
    Done,
}

/// <summary>One step of a protocol over the log.</summary>
/// <param name="Action">What to do.</param>
/// <param name="Attempt">In whose log.</param>
/// <param name="Number">At which number.</param>
internal readonly record struct LogStep(LogAction Action, Attempt Attempt, long Number);

/// <summary>What came of a step. A step whose outcome is unknown is done again until there is an answer.</summary>
internal enum LogAnswer
{
    /// <summary>Created, by this call.</summary>
    Created,

    /// <summary>Not created: the number is taken.</summary>
    Taken,

    /// <summary>Nothing is there.</summary>
    Nothing,

    /// <summary>One's own entry is there, to the last byte.</summary>
    Own,

    /// <summary>Somebody else's seal is there.</summary>
    Seal,

    /// <summary>Any other entry is there; the only answer of a probe that found something.</summary>
    Entry,
}
