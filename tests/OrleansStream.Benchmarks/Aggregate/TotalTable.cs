using System.Runtime.InteropServices;
using OrleansStream.Benchmarks.Input;
using OrleansStream.Benchmarks.Peers;

namespace OrleansStream.Benchmarks.Aggregate;

/// <summary>Totals by key in a dictionary. A struct, so that generic peers are compiled for it without a virtual call per record.</summary>
internal readonly struct TotalTable(int keys) : ITable<Amount>
{
    private readonly Dictionary<int, Total> _totals = [];

    public void Add(in Amount record, long time) => CollectionsMarshal.GetValueRefOrAddDefault(_totals, record.Key, out _).Add(record.Value);

    public void Advance(long watermark)
    {
    }

    public Answer Finish()
    {
        var mask = KeyTotal.SampleMask(keys);
        var answer = default(Answer);
        foreach (var (key, total) in _totals)
        {
            if ((key & mask) == 0) answer += new KeyTotal(key, total.Count, total.Sum).ToAnswer();
        }

        return answer;
    }
}

/// <summary>The total of one key.</summary>
internal sealed class TotalState(int keys) : IKeyState<Amount>
{
    private Total _total;
    private int _key;

    public void Add(in Amount record)
    {
        _key = record.Key;
        _total.Add(record.Value);
    }

    public Answer Finish() => _total.Count == 0 || (_key & KeyTotal.SampleMask(keys)) != 0 ? default : new KeyTotal(_key, _total.Count, _total.Sum).ToAnswer();
}
