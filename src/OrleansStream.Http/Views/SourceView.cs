using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>How far a source has come in event time, and what holds it back.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Watermark">The lowest watermark of its subtasks that are not idle; null before the first and at the end of input.</param>
/// <param name="InputEnded">Whether all its input has ended.</param>
/// <param name="LagSeconds">How far the watermark is behind the clock; null where there is none.</param>
/// <param name="SlowestSplit">The split that the others wait for; null when none holds them back.</param>
/// <param name="HoldsBack">Whether the job's watermark waits for this source.</param>
/// <param name="Splits">How many splits it has.</param>
/// <param name="EndedSplits">How many of them have ended.</param>
/// <param name="IdleSplits">How many are idle and hold nobody back.</param>
/// <param name="IdleNames">Some of the idle splits.</param>
/// <param name="PausedSplits">How many are ahead of their alignment group and not read for now.</param>
/// <param name="PausedNames">Some of the paused splits.</param>
public sealed record SourceView(
    string Name,
    DateTimeOffset? Watermark,
    bool InputEnded,
    double? LagSeconds,
    string? SlowestSplit,
    bool HoldsBack,
    int Splits,
    int EndedSplits,
    int IdleSplits,
    IReadOnlyList<string> IdleNames,
    int PausedSplits,
    IReadOnlyList<string> PausedNames)
{
    internal static SourceView Of(SourceStatus source) => new(
        source.Name,
        source.Watermark == DateTimeOffset.MaxValue ? null : source.Watermark,
        source.Watermark == DateTimeOffset.MaxValue,
        source.Lag?.TotalSeconds,
        source.SlowestSplit,
        source.HoldsBack,
        source.Splits,
        source.EndedSplits,
        source.IdleSplits,
        source.IdleNames,
        source.PausedSplits,
        source.PausedNames);
}
