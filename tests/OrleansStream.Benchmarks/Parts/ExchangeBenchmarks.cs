using BenchmarkDotNet.Attributes;
using OrleansStream.Benchmarks.Aggregate;
using OrleansStream.Exchange;
using OrleansStream.Functions;
using OrleansStream.Jobs;
using OrleansStream.Stages;

namespace OrleansStream.Benchmarks.Parts;

/// <summary>Records through a writer into channels and out of the inboxes behind them, without grains between.</summary>
public class ExchangeBenchmarks
{
    private const int Count = 1 << 16;
    private const int ReadLength = 1024;
    private const int Window = 16;

    private readonly Amount[] _amounts = PartSetup.Amounts(Count, 10_000);
    private readonly long[] _timestamps = new long[Count];
    private OutputChannel[] _outputs = [];
    private InputChannel[] _inputs = [];
    private PartitionWriter<Amount> _byKey = null!;
    private PartitionWriter<Amount> _forward = null!;

    /// <summary>Opens two channels by key and one forward.</summary>
    [GlobalSetup]
    public void Open()
    {
        var context = PartSetup.Context();
        var from = new SubtaskId(0, 0);
        _outputs = [.. Enumerable.Range(0, 3).Select(index => new OutputChannel(from, new SubtaskId(1, index), 0, Window))];
        _inputs = [.. Enumerable.Range(0, 3).Select(_ => new InputChannel(from, 0, Window))];
        foreach (var output in _outputs) output.Address(Attempt.First, new Incarnation(1), new Incarnation(2));
        var failures = new Failures<Amount>(context, "benchmark", OnError.Fail, new Output<DeadLetter<Amount>>([]));
        _byKey = new KeyWriter<int, Amount>(_outputs[..2], static amount => amount.Key, failures, context) { Name = "by-key" };
        _forward = new BroadcastWriter<Amount>(_outputs[2..], context) { Name = "forward" };
    }

    /// <summary>Hashed and divided between two.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void ByKey() => Send(_byKey);

    /// <summary>As they are, to one.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public void Forward() => Send(_forward);

    private void Send(PartitionWriter<Amount> writer)
    {
        for (var from = 0; from < Count; from += ReadLength)
        {
            writer.OnRecords(new Records<Amount>(_amounts.AsSpan(from, ReadLength), _timestamps.AsSpan(from, ReadLength)));
            Deliver();
        }

        writer.Flush();
        Deliver();
    }

    private void Deliver()
    {
        for (var i = 0; i < _outputs.Length; i++)
        {
            var (output, input) = (_outputs[i], _inputs[i]);
            while (output.TryTakeNext(out var envelope))
            {
                if (input.Accept(envelope) is { } refusal) throw new InvalidOperationException(refusal);
                output.Credit(input.Processed);
                input.Peek().Batch?.Recycle();
                input.Done();
                if (input.TryTakeCredit(out var processed)) output.Credit(processed);
            }
        }
    }
}
