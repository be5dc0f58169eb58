namespace OrleansStream.Joins;

/// <summary>Which rows of a join come out without a partner.</summary>
[Flags]
internal enum JoinKind
{
    /// <summary>None: an inner join.</summary>
    Inner = 0,

    /// <summary>Those of the left side.</summary>
    Left = 1,

    /// <summary>Those of the right side.</summary>
    Right = 2,

    /// <summary>Those of both sides.</summary>
    Full = Left | Right,
}
