using OrleansStream.Functions;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Time;

namespace OrleansStream.Joins;

/// <summary>
/// Joins each row of the left side with the version of the right side that was valid at the row's time: the newest one not after it. A row waits until the watermark has reached its
/// time, because until then the version may still come. When the watermark passes a version, all older ones go; the newest stays, until the end of time.
/// Source: Flink's TemporalRowTimeJoinOperator.
/// </summary>
internal sealed class TemporalJoinFunction<TKey, TLeft, TVersion, TOut>(
    JoinKind kind,
    Func<TLeft, TVersion?, TOut> select,
    SideOutput<TLeft>? lateLeft,
    SideOutput<TVersion>? lateVersions,
    Failures<TLeft> leftFailures)
    : KeyedCoFunction<TKey, TLeft, TVersion, TOut>
    where TKey : notnull
{
    private static readonly JoinBuffer<TLeft> Left = new("left");
    private static readonly MapState<long, TVersion> Versions = new("versions");
    private readonly List<TimedRow<TLeft>> _due = [];
    private readonly List<long> _outdated = [];

    /// <summary>What every such function declares: static, so that it is known before there is one.</summary>
    public static readonly IReadOnlyList<StateDeclaration> Declared = [Left.State, Versions];

    public override IReadOnlyList<StateDeclaration> States => Declared;

    internal override bool EndsWithTime => true;

    public override void ProcessFirst(in TLeft record, ref KeyedContext<TKey, TOut> context)
    {
        if (IsBehind(context.Timestamp, context.Watermark))
        {
            context.Late(lateLeft, record);
            return;
        }

        Left.Add(ref context, record, context.Timestamp, isMatched: false);
        context.RegisterEventTimer(context.Timestamp);
    }

    /// <summary>A version behind the watermark still counts for rows to come, unless a newer one has taken its place by then.</summary>
    public override void ProcessSecond(in TVersion record, ref KeyedContext<TKey, TOut> context)
    {
        var time = context.Timestamp;
        var isBehind = IsBehind(time, context.Watermark);
        if (isBehind && TryFind(context.Watermark, ref context, out var newest, out _) && newest > time)
        {
            context.Late(lateVersions, record);
            return;
        }

        context.Set(Versions, time, record);
        if (isBehind) RemoveBefore(time, ref context);
        else context.RegisterEventTimer(time);
    }

    public override void OnEventTimer(long timestamp, ref KeyedContext<TKey, TOut> context)
    {
        _due.Clear();
        Left.Take(ref context, timestamp, _due);
        if (_due.Count > 0)
        {
            var found = TryFind(timestamp, ref context, out _, out var version);
            if (found || kind == JoinKind.Left)
            {
                foreach (var row in _due) Emit(row, found ? version : default, ref context);
            }
        }

        if (context.TryGet(Versions, timestamp, out _)) RemoveBefore(timestamp, ref context);
    }

    internal override void OnEndOfTime(ref KeyedContext<TKey, TOut> context) => context.Clear(Versions);

    private static bool IsBehind(long time, long watermark) => time <= watermark && watermark != EventTime.Beginning;

    /// <summary>The newest version not after a time.</summary>
    private static bool TryFind(long at, ref KeyedContext<TKey, TOut> context, out long newest, out TVersion? version)
    {
        newest = EventTime.Beginning;
        version = default;
        var found = false;
        foreach (var (time, value) in context.EntriesOf(Versions))
        {
            if (time > at || (found && time < newest)) continue;
            found = true;
            newest = time;
            version = value;
        }

        return found;
    }

    private void RemoveBefore(long time, ref KeyedContext<TKey, TOut> context)
    {
        _outdated.Clear();
        foreach (var (other, _) in context.EntriesOf(Versions))
        {
            if (other < time) _outdated.Add(other);
        }

        foreach (var other in _outdated) context.Remove(Versions, other);
    }

    private void Emit(in TimedRow<TLeft> row, TVersion? version, ref KeyedContext<TKey, TOut> context)
    {
        try
        {
            context.Emit(select(row.Value, version), row.Time);
        }
        catch (Exception error) when (Failures.IsOfFunction(error))
        {
            leftFailures.Take(error, row.Value, row.Time, context.Key.ToString());
        }
    }
}
