using OrleansStream.Benchmarks.Input;

namespace OrleansStream.Benchmarks.Peers;

/// <summary>What a workload's peers are made of.</summary>
/// <param name="Input">The input for a run.</param>
/// <param name="NewTable">The empty state of a partition.</param>
/// <param name="NewKeyState">The empty state of a key.</param>
/// <param name="MaxOutOfOrdernessMs">How much earlier than one before it a record may be.</param>
internal sealed record Work<TRecord, TTable>(
    Func<RunSettings, RecordInput<TRecord>> Input, Func<RunSettings, TTable> NewTable, Func<RunSettings, IKeyState<TRecord>> NewKeyState, long MaxOutOfOrdernessMs)
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    public Partition<TRecord, TTable> NewPartition(RunSettings settings) => new(NewTable(settings), MaxOutOfOrdernessMs);

    /// <summary>The answer in the plainest way.</summary>
    public Answer Expected(RunSettings settings) => PlainLoop<TRecord, TTable>.Run(this, settings);
}

/// <summary>A table and the watermark of the records that it took.</summary>
internal sealed class Partition<TRecord, TTable>(TTable table, long maxOutOfOrdernessMs)
    where TRecord : struct, ITimedRecord<TRecord>
    where TTable : struct, ITable<TRecord>
{
    private readonly TTable _table = table;
    private long _highest = long.MinValue / 2;

    /// <summary>Takes one record, by peers that do all per record.</summary>
    public void Add(in TRecord record)
    {
        _table.Add(record, record.Time);
        if (record.Time <= _highest) return;
        _highest = record.Time;
        _table.Advance(_highest - maxOutOfOrdernessMs - 1);
    }

    /// <summary>Takes several.</summary>
    public void Add(ReadOnlySpan<TRecord> records, long shift = 0)
    {
        var highest = _highest;
        foreach (ref readonly var record in records)
        {
            var time = record.Time + shift;
            _table.Add(record, time);
            if (time > highest) highest = time;
        }

        _highest = highest;
        _table.Advance(highest - maxOutOfOrdernessMs - 1);
    }

    public Answer Finish() => _table.Finish();
}
