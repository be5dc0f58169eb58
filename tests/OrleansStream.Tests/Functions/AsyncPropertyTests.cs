using OrleansStream.Functions;
using OrleansStream.State;
using OrleansStream.Testing;

namespace OrleansStream.Tests.Functions;

/// <summary>Asynchronous calls under random answers, failures, time, restores and crashes, against what the input alone says.</summary>
public sealed class AsyncPropertyTests
{
    private const int Cases = 1000;

    [Fact]
    public async Task Each_record_has_one_result_or_one_dead_letter_in_order_and_between_the_watermarks_it_came_between()
    {
        for (var seed = 1; seed <= Cases; seed++)
        {
            try
            {
                await new Case(seed).RunAsync();
            }
            catch (Exception error)
            {
                throw new InvalidOperationException($"Seed {seed}: {error.Message}", error);
            }
        }
    }

    private sealed class Case(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly TestInput<string> _input = new();
        private readonly TestOutput<string> _output = new();
        private readonly TestOutput<string> _letters = new();
        private readonly List<(string Question, TaskCompletionSource<string> Answer, CancellationToken Cancellation)> _open = [];
        private readonly List<(string Record, long Watermark)> _expected = [];
        private long _watermark = long.MinValue;
        private bool _mayBreak;

        public async Task RunAsync()
        {
            var isKeyed = _random.Next(2) == 0;
            _mayBreak = !isKeyed || _random.Next(3) > 0;
            var changes = _random.Next(2) == 0;
            var options = new AsyncOptions
            {
                // Behind an exchange a checkpoint waits for room: there the small capacities are for runs without any.
                Capacity = isKeyed && _mayBreak ? 100 : _random.Next(1, 6),
                Order = _random.Next(2) == 0 ? AsyncOrder.Ordered : AsyncOrder.Unordered,
                Timeout = _random.Next(3) == 0 ? TimeSpan.FromMilliseconds(_random.Next(1, 40)) : null,
                Retry = _random.Next(2) == 0 ? null : new AsyncRetry { Attempts = _random.Next(1, 4), Delay = TimeSpan.FromMilliseconds(_random.Next(10)) },
            };
            var parallelism = changes ? _random.Next(1, 4) : 1;
            await using var harness = await JobHarness.StartAsync(
                graph =>
                {
                    var records = graph.From("in", _input);
                    var asked = isKeyed
                        ? records.KeyBy(static record => record[..1]).SelectAsync("ask", AskAsync, options, onError: OnError.DeadLetter)
                        : records.SelectAsync("ask", AskAsync, options, onError: OnError.DeadLetter);
                    asked.KeyBy(static record => record[..1]).Process("note", static _ => new Noting()).To("out", _output);
                    asked.DeadLetters<string>().KeyBy(static letter => letter.Record[..1]).Process("note-letters", static _ => new NotingLetters()).To("letters", _letters);
                },
                new HarnessOptions { Parallelism = parallelism });
            for (var steps = _random.Next(5, 60); steps > 0; steps--) await StepAsync(harness, changes);
            _input.End();
            for (var rounds = 0; !harness.HasEnded; rounds++)
            {
                await harness.RunAsync();
                Answer(all: true);
                await harness.AdvanceProcessingTimeAsync(TimeSpan.FromMilliseconds(20));
                if (rounds > 2000) throw new InvalidOperationException($"the job does not end; open are {string.Join(' ', _open.Select(static open => open.Question))}");
            }

            Check(options, isKeyed, exact: !changes);
        }

        private async Task StepAsync(JobHarness harness, bool changes)
        {
            switch (_random.Next(_mayBreak ? 12 : 10))
            {
                case < 5:
                    // The last letter says how it goes: sometimes well, or never.
                    var record = $"{(char)('a' + _random.Next(5))}{_expected.Count}{(_random.Next(5) == 0 ? '!' : '.')}";
                    _input.Add(record, _expected.Count);
                    _expected.Add((record, _watermark));
                    break;
                case 5:
                    _input.Watermark(_watermark = Math.Max(_watermark, _random.Next(_expected.Count + 1)));
                    break;
                case < 9:
                    Answer(all: false);
                    break;
                case 9:
                    await harness.AdvanceProcessingTimeAsync(TimeSpan.FromMilliseconds(_random.Next(15)));
                    break;
                case 10:
                    await harness.RestoreAsync(changes ? _random.Next(1, 4) : null);
                    break;
                default:
                    if (_random.Next(2) == 0) await harness.CheckpointAsync();
                    await harness.RunAsync();
                    if (_random.Next(2) == 0) await harness.CrashAsync(changes ? _random.Next(1, 4) : null);
                    break;
            }

            if (_random.Next(2) == 0) await harness.RunAsync();
        }

        private Task<string> AskAsync(string record, CancellationToken cancellation)
        {
            if (_random.Next(4) == 0 && !record.EndsWith('!')) return Task.FromResult(record);
            var answer = new TaskCompletionSource<string>();
            _open.Add((record, answer, cancellation));
            return answer.Task;
        }

        private void Answer(bool all)
        {
            for (var left = all ? _open.Count : 1; left > 0 && _open.Count > 0; left--)
            {
                var index = _random.Next(_open.Count);
                var (record, answer, _) = _open[index];
                _open.RemoveAt(index);
                if (record.EndsWith('!') || _random.Next(4) == 0) answer.SetException(new FormatException(record));
                else answer.SetResult(record);
            }
        }

        private void Check(AsyncOptions options, bool isKeyed, bool exact)
        {
            var results = _output.Values.Select(Parse).ToList();
            var letters = _letters.Values.Select(Parse).ToList();
            Assert.Equal(_expected.Select(static record => record.Record).Order(), results.Concat(letters).Select(static record => record.Record).Order());
            Assert.DoesNotContain(results, static result => result.Record.EndsWith('!'));
            var came = _expected.ToDictionary(static record => record.Record, static record => record.Watermark);
            foreach (var (record, seen) in results.Concat(letters))
            {
                if (exact) Assert.True(seen == came[record], $"{record} came at watermark {came[record]} and left at {seen}");
                else Assert.True(seen <= came[record], $"{record} came at watermark {came[record]} and was overtaken by {seen}");
            }

            if (options.Order != AsyncOrder.Ordered || !(isKeyed || exact)) return;
            foreach (var key in results.GroupBy(static result => result.Record[0]))
            {
                var kept = key.Select(static result => result.Record).ToHashSet();
                Assert.Equal(_expected.Select(static record => record.Record).Where(kept.Contains), key.Select(static result => result.Record));
            }
        }

        private static (string Record, long Seen) Parse(string line) =>
            (line[..line.IndexOf('@')], long.Parse(line.AsSpan(line.IndexOf('@') + 1), System.Globalization.CultureInfo.InvariantCulture));
    }

    private sealed class Noting : KeyedFunction<string, string, string>
    {
        public override IReadOnlyList<StateDeclaration> States => [];

        public override void Process(in string record, ref KeyedContext<string, string> context) => context.Emit($"{record}@{context.Watermark}");
    }

    private sealed class NotingLetters : KeyedFunction<string, DeadLetter<string>, string>
    {
        public override IReadOnlyList<StateDeclaration> States => [];

        public override void Process(in DeadLetter<string> letter, ref KeyedContext<string, string> context) => context.Emit($"{letter.Record}@{context.Watermark}");
    }
}
