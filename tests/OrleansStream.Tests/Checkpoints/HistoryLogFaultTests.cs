using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Tests.Checkpoints;

/// <summary>
/// Coordinators that know nothing of each other take one job over from each other, publish, drop and trim, are stalled anywhere and go on long after, on a store that
/// fails with unknown outcome. To run one seed alone: <see cref="A_single_seed_can_be_run_alone"/>.
/// </summary>
public sealed class HistoryLogFaultTests
{
    private const int Seeds = 1000;

    [Fact]
    public void Whatever_fails_one_writer_owns_each_attempt_and_nothing_is_published_behind_a_seal()
    {
        var total = new Tally();
        for (var seed = 0; seed < Seeds; seed++) total.Add(new Run(seed).Execute());

        // A fault test proves that its faults fired.
        Assert.True(total.Unknown > Seeds, $"{total}");
        Assert.True(total.Late > Seeds / 2, $"{total}");
        Assert.True(total.Published > Seeds * 5, $"{total}");
        Assert.True(total.Fenced > Seeds, $"{total}");
        Assert.True(total.SealsInHoles > Seeds / 50, $"{total}");
        TestContext.Current.TestOutputHelper?.WriteLine($"{total}");
    }

    [Fact]
    public void A_single_seed_can_be_run_alone() => new Run(seed: 42).Execute();

    private sealed record Tally
    {
        public int Unknown { get; set; }

        public int Late { get; set; }

        public int Published { get; set; }

        public int Fenced { get; set; }

        public int SealsInHoles { get; set; }

        public int Attempts { get; set; }

        public void Add(Tally other)
        {
            Unknown += other.Unknown;
            Late += other.Late;
            Published += other.Published;
            Fenced += other.Fenced;
            SealsInHoles += other.SealsInHoles;
            Attempts += other.Attempts;
        }
    }

    private sealed class Run
    {
        private const int Coordinators = 3;

        private readonly int _seed;
        private readonly Random _random;
        private readonly InMemoryStore _memory = new();
        private readonly FaultyStore _store;
        private readonly SeededContext _context;
        private readonly RetryRule _retry;
        private readonly Dictionary<Attempt, string> _writers = [];
        private readonly Dictionary<CheckpointId, string> _acknowledged = [];
        private readonly List<Takeover> _takeovers = [];
        private readonly Tally _tally = new();
        private int _ids;

        public Run(int seed)
        {
            _seed = seed;
            _random = new Random(seed);
            _store = new FaultyStore(_memory, _random, seed % 4 == 0 ? 0 : 0.08);
            _context = new SeededContext(seed);
            _retry = new RetryRule(_context.Time, _random) { Limit = 4 };
        }

        public Tally Execute()
        {
            _context.Run(400_000, Enumerable.Range(0, Coordinators).Select(_ => (Func<Task>)CoordinateAsync));
            Check();
            _tally.Unknown = _store.FailedAfterEffect + _store.FailedWithoutEffect + _store.TookEffectLate;
            _tally.Late = _store.TookEffectLate;
            _tally.SealsInHoles = SealsInHoles();
            _tally.Attempts = _writers.Count;
            return _tally;
        }

        private async Task CoordinateAsync()
        {
            for (var life = 0; life < 4; life++)
            {
                try
                {
                    await TakeOverAndPublishAsync();
                }
                catch (StoreException)
                {
                    // This life is over, perhaps with entries in the log that it does not know of.
                }

                await SeededContext.StallAsync(_random.Next(300));
            }
        }

        private async Task TakeOverAndPublishAsync()
        {
            var writer = $"w{_ids++}";
            var takeover = await HistoryLog.TakeOverAsync(_store, Samples.Job, writer, _retry, default);
            _takeovers.Add(takeover);
            if (_random.Next(6) == 0) return; // Dies before it begins.

            var kept = takeover.History.Kept;
            var log = await AttemptLog.BeginAsync(_store, Samples.Job, Samples.Started(writer, takeover.Next, kept), _retry, default);
            if (log is null)
            {
                _tally.Fenced++;
                return;
            }

            Assert.True(_writers.TryAdd(log.Attempt, writer), $"Seed {_seed}: '{writer}' and '{_writers[log.Attempt]}' both began attempt {log.Attempt}.");
            if (_random.Next(3) == 0) await TidyAsync(log, kept);

            var entries = _random.Next(40);
            for (var number = 1; number <= entries; number++)
            {
                var published = Samples.Ref(new CheckpointId(log.Attempt, number), number % 5 == 1 || kept.Count == 0 ? null : kept[0].Generation);
                if (!await AppendAsync(log, new Published(writer, published, [published, .. kept]))) return;
                _acknowledged.Add(published.Id, writer);
                _tally.Published++;
                kept = [published, .. kept];

                var plan = Retention.Plan(kept);
                if (plan.Dropped.Count > 0 && _random.Next(3) == 0)
                {
                    if (!await AppendAsync(log, new Dropped(writer, [.. plan.Dropped.Select(d => d.Id)], plan.Kept))) return;
                    kept = plan.Kept;
                }

                if (_random.Next(2) == 0) await log.TrimAsync(default);
                if (_random.Next(40) == 0) await SeededContext.StallAsync(_random.Next(2000));
            }
        }

        private async Task<bool> AppendAsync(AttemptLog log, LogEntry entry)
        {
            while (true)
            {
                try
                {
                    if (await log.AppendAsync(entry, default)) return true;
                    _tally.Fenced++;
                    return false;
                }
                catch (StoreException) when (_random.Next(4) > 0)
                {
                    Assert.NotNull(log.Undecided);
                }
            }
        }

        private async Task TidyAsync(AttemptLog log, IReadOnlyList<ManifestRef> kept) =>
            await log.TrimOlderAsync(_random.Next(2) == 0 || kept.Count == 0 ? log.Attempt : kept[^1].Id.Attempt, default);

        private void Check()
        {
            // Nothing that anyone was told is published is unknown to those who took over later.
            foreach (var takeover in _takeovers)
            {
                var before = _acknowledged.Keys.Where(id => id.Attempt.CompareTo(takeover.Next) < 0).ToList();
                if (before.Count == 0) continue;
                var newest = before.Max();
                Assert.True(
                    takeover.History.Kept.Count > 0 && takeover.History.Kept[0].Id >= newest,
                    $"Seed {_seed}: checkpoint {newest} was acknowledged to '{_acknowledged[newest]}', and '{takeover.WriterId}' took attempt {takeover.Next} over without it.");
            }

            // What anyone took over stays: the next one knows as much or more.
            foreach (var (earlier, later) in _takeovers.OrderBy(t => t.Next).Zip(_takeovers.OrderBy(t => t.Next).Skip(1)))
            {
                if (earlier.History.Kept.Count == 0) continue;
                Assert.True(later.History.Kept[0].Id >= earlier.History.Kept[0].Id, $"Seed {_seed}: attempt {later.Next}'s owner knows less than attempt {earlier.Next}'s.");
            }

            // No attempt but the first is owned twice.
            var owned = _takeovers.Where(t => t.Next != Attempt.First).Select(t => t.Next).ToList();
            Assert.True(owned.Count == owned.Distinct().Count(), $"Seed {_seed}: an attempt was owned twice: {string.Join(' ', owned.Order())}.");

            var history = HistoryLog.ReadAsync(_memory, Samples.Job, Samples.Retry(), default).GetAwaiter().GetResult();
            if (_acknowledged.Count > 0) Assert.True(history.Kept[0].Id >= _acknowledged.Keys.Max(), $"Seed {_seed}: the history ends before {_acknowledged.Keys.Max()}.");
        }

        /// <summary>Seals that stand where the log had passed: a position above them on the way up was written.</summary>
        private int SealsInHoles()
        {
            var holes = 0;
            foreach (var name in _memory.Names)
            {
                if (ObjectNames.LogEntryOf(Samples.Job, name) is not var (attempt, number) || LogEntry.Decode(name, _memory.Read(name)) is not Sealed) continue;
                var last = _memory.Names.Select(n => ObjectNames.LogEntryOf(Samples.Job, n)).Where(e => e?.Attempt == attempt).Max(e => e!.Value.Number);
                if (last > number) holes++;
            }

            return holes;
        }
    }
}
