namespace OrleansStream.Patterns;

/// <summary>
/// What a match leaves for others. With any but <see cref="None"/> matches come in the order in which they began: one is held back while a partial match that began earlier may still
/// be completed. Of matches that begin with the same record, the one comes first that was completed first, and of those completed by the same record, the one that took more at the
/// first step where they part. Source: Flink's AfterMatchSkipStrategy.
/// </summary>
public sealed class SkipStrategy
{
    private SkipStrategy(SkipKind kind, string? step = null)
    {
        Kind = kind;
        Step = step;
    }

    /// <summary>Every match is emitted, as soon as it is complete. The default.</summary>
    public static SkipStrategy None { get; } = new(SkipKind.None);

    /// <summary>Drops every other match, complete or partial, that began with the same record.</summary>
    public static SkipStrategy ToNext { get; } = new(SkipKind.ToNext);

    /// <summary>Drops every other match, complete or partial, that began with a record of this one or between.</summary>
    public static SkipStrategy PastLast { get; } = new(SkipKind.PastLast);

    internal SkipKind Kind { get; }

    /// <summary>The name of the step skipped to.</summary>
    internal string? Step { get; }

    /// <summary>Drops every other match, complete or partial, that began before the first record of a step. Nothing is dropped when the step was left out.</summary>
    /// <param name="step">The step's name.</param>
    public static SkipStrategy ToFirst(string step) => new(SkipKind.ToFirst, step ?? throw new ArgumentNullException(nameof(step)));

    /// <summary>Drops every other match, complete or partial, that began before the last record of a step. Nothing is dropped when the step was left out.</summary>
    /// <param name="step">The step's name.</param>
    public static SkipStrategy ToLast(string step) => new(SkipKind.ToLast, step ?? throw new ArgumentNullException(nameof(step)));

    /// <summary>Its name, and the step's if it has one.</summary>
    public override string ToString() => Step is null ? Kind.ToString() : $"{Kind}({Step})";
}

/// <summary>The kinds of <see cref="SkipStrategy"/>.</summary>
internal enum SkipKind
{
    /// <summary>Nothing is dropped.</summary>
    None,

    /// <summary>What began with the same record.</summary>
    ToNext,

    /// <summary>What began up to the match's last record.</summary>
    PastLast,

    /// <summary>What began before the first record of a step.</summary>
    ToFirst,

    /// <summary>What began before the last record of a step.</summary>
    ToLast,
}
