using OrleansStream.Checkpoints;
using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>Random work, freezes, late encodings, publications, abandonments and restores, held against plain dictionaries.</summary>
public sealed class SnapshotModelTests
{
    private const int MaxParallelism = 16;
    private const int Seeds = 250;
    private const int Steps = 400;

    [Fact]
    public async Task Every_published_checkpoint_restores_at_any_parallelism_to_what_was_there_at_its_freeze()
    {
        for (var seed = 0; seed < Seeds; seed++)
        {
            try
            {
                await new Run(seed).AllStepsAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}: {e.Message}", e);
            }
        }
    }

    private sealed class Run(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly int _pieceBytes = 64 << (seed % 4);
        private readonly SegmentStore _store = new();
        private readonly List<Taken> _inFlight = [];
        private readonly List<Taken> _published = [];
        private readonly Dictionary<(long Number, int Subtask), SegmentChain> _chains = [];
        private ModelSubtask[] _subtasks = [];
        private StateModel _model = new();
        private long _number;

        public async Task AllStepsAsync()
        {
            Open(_random.Next(1, 6));
            for (var step = 0; step < Steps; step++)
            {
                switch (_random.Next(100))
                {
                    case < 80: Work(); break;
                    case < 88: Freeze(); break;
                    case < 95: Settle(); break;
                    case < 97: Purge(); break;
                    case < 98: await PassOnAsync(); break;
                    default: await RestoreAsync(); break;
                }
            }

            foreach (var taken in _published.TakeLast(3)) await CheckAsync(taken);
        }

        private void Open(int parallelism) => _subtasks =
            [.. Enumerable.Range(0, parallelism).Select(i => new ModelSubtask(KeyGroups.Range(i, parallelism, MaxParallelism), MaxParallelism))];

        private ModelSubtask OwnerOf(string key) =>
            _subtasks[KeyGroups.Subtask(KeyGroups.Of(KeyCodec<string>.Default.Hash(key), MaxParallelism), _subtasks.Length, MaxParallelism)];

        private void Work()
        {
            var key = $"k{_random.Next(25)}";
            var owner = OwnerOf(key);
            var table = owner.Table;
            var slot = table.Slot(key);
            var number = _random.Next(10);
            switch (_random.Next(14))
            {
                case 0:
                case 1:
                    table.Values(ModelSubtask.Total).GetRefForWrite(slot) += number;
                    _model.Totals[key] = _model.Totals.GetValueOrDefault(key) + number;
                    break;
                case 2:
                    table.Values(ModelSubtask.Total).Clear(slot);
                    _model.Totals.Remove(key);
                    break;
                case 3:
                    table.Values(ModelSubtask.Profile).Set(slot, new Profile(key, number));
                    _model.Profiles[key] = new Profile(key, number);
                    break;
                case 4:
                    table.Values(ModelSubtask.Profile).Clear(slot);
                    _model.Profiles.Remove(key);
                    break;
                case 5:
                    table.Lists(ModelSubtask.List).Add(slot, number);
                    (_model.Lists.TryGetValue(key, out var list) ? list : _model.Lists[key] = []).Add(number);
                    break;
                case 6:
                    var items = Enumerable.Range(0, _random.Next(4)).ToArray();
                    table.Lists(ModelSubtask.List).Replace(slot, items);
                    _model.Lists.Remove(key);
                    if (items.Length > 0) _model.Lists[key] = [.. items];
                    break;
                case 7:
                case 8:
                    WorkOnMap(table, slot, key, number);
                    break;
                case 9:
                case 10:
                    Assert.Equal(_model.Timers.Add((key, number)), table.EventTimers.Register(slot, number));
                    break;
                case 11:
                    Assert.Equal(_model.Timers.Remove((key, number)), table.EventTimers.Delete(slot, number));
                    break;
                case 12:
                    FireTimers(owner, number);
                    break;
                case 13:
                    WorkOnWindow(owner, key);
                    break;
            }

            table.ReleaseIfEmpty(slot);
        }

        private void WorkOnMap(KeyedStateTable<string> table, int slot, string key, int number)
        {
            var map = table.Maps(ModelSubtask.Map);
            var entries = _model.Maps.TryGetValue(key, out var there) ? there : _model.Maps[key] = [];
            var index = entries.FindIndex(e => e.Key == number);
            Assert.Equal(index >= 0, map.TryGet(slot, number, out var value));
            if (index >= 0) Assert.Equal(entries[index].Value, value);
            switch (_random.Next(8))
            {
                case 0:
                    map.Clear(slot);
                    entries.Clear();
                    break;
                case < 4:
                    Assert.Equal(index >= 0, map.Remove(slot, number));
                    if (index >= 0) entries.RemoveAt(index);
                    break;
                default:
                    var set = $"v{_random.Next(100)}";
                    map.Set(slot, number, set);
                    if (index >= 0) entries[index] = (number, set);
                    else entries.Add((number, set));
                    break;
            }

            Assert.Equal(entries.Count, map.Count(slot));
            if (entries.Count == 0) _model.Maps.Remove(key);
        }

        private void FireTimers(ModelSubtask owner, long now)
        {
            var due = _model.Timers.Where(t => t.At <= now && OwnerOf(t.Key) == owner)
                .OrderBy(t => t.At).ThenBy(t => KeyCodec<string>.Default.Hash(t.Key)).ToList();
            foreach (var expected in due)
            {
                Assert.Equal(expected.At, owner.Table.EventTimers.Next);
                Assert.True(owner.Table.EventTimers.TryPopDue(now, out var slot, out var at));
                Assert.Equal(expected, (owner.Table.KeyOf(slot), at));
                owner.Table.ReleaseIfEmpty(slot);
                _model.Timers.Remove(expected);
            }

            Assert.False(owner.Table.EventTimers.TryPopDue(now, out _, out _));
        }

        private void WorkOnWindow(ModelSubtask owner, string key)
        {
            var start = Math.Max(owner.Windows.PurgedBefore, 0) + (_random.Next(4) * 10);
            var slot = owner.Windows.Window(key, start);
            if (_random.Next(3) == 0)
            {
                owner.Windows.Remove(slot);
                _model.Windows.Remove((key, start));
                return;
            }

            ref var average = ref owner.Windows.GetRefForWrite(slot);
            average = new Average(average.Count + 1, average.Sum + start);
            _model.Windows[(key, start)] = average;
        }

        private void Purge()
        {
            var windows = _subtasks[_random.Next(_subtasks.Length)].Windows;
            windows.PurgedBefore = Math.Max(windows.PurgedBefore, 0) + (_random.Next(3) * 10);
            for (var slot = 0; slot < windows.SlotLimit; slot++)
            {
                if (!windows.IsLive(slot) || windows.StartOf(slot) >= windows.PurgedBefore) continue;
                _model.Windows.Remove((windows.KeyOf(slot), windows.StartOf(slot)));
                windows.Remove(slot);
            }
        }

        private void Freeze()
        {
            Take();
            if (_random.Next(3) == 0) Settle();
        }

        private void Take()
        {
            var id = StateSetup.Checkpoint(++_number);
            var full = _random.Next(5) == 0;
            FrozenSubtask[] frozen = [.. _subtasks.Select(s => s.State.Freeze(id, full, []))];
            _inFlight.Add(new Taken(_number, _model.Copy(), frozen, [.. _subtasks.Select(s => s.State.Groups)], [.. _subtasks.Select(static s => s.Windows.PurgedBefore)]));
        }

        // Settles one checkpoint in flight, not always the oldest: often long after its freeze, with more work and freezes in between.
        private void Settle()
        {
            if (_inFlight.Count == 0) return;
            var taken = _inFlight[_random.Next(_inFlight.Count)];
            _inFlight.Remove(taken);
            var id = StateSetup.Checkpoint(taken.Number);
            if (_random.Next(4) == 0)
            {
                foreach (var frozen in taken.Frozen) frozen.Release();
                foreach (var subtask in _subtasks) subtask.State.Abandoned(id);
                return;
            }

            Publish(taken);
            foreach (var subtask in _subtasks) subtask.State.Published(id);
        }

        private void Publish(Taken taken)
        {
            for (var i = 0; i < taken.Frozen.Length; i++)
            {
                var segment = _store.Put($"{taken.Number}/{i}", taken.Frozen[i].Encode(_pieceBytes));
                List<SegmentRef> segments = taken.Frozen[i].Base is { } b ? [.. _chains[(b.Number, i)].Segments, segment] : [segment];
                _chains[(taken.Number, i)] = new SegmentChain(i, taken.Groups[i], segments);
            }

            _published.Add(taken);
        }

        /// <summary>The attempt ends right behind a checkpoint, of whose publication its subtasks are not told, and the next one goes on with the tables.</summary>
        private async Task PassOnAsync()
        {
            Take();
            var taken = _inFlight[^1];
            _inFlight.Clear();
            Publish(taken);
            _subtasks = [.. _subtasks.Select(static subtask => subtask.Next())];
            Assert.All(_subtasks, static subtask => Assert.True(subtask.State.IsTakenOver));
            // Timers are seen only by taking them out: what follows does.
            var expected = taken.Model.Copy();
            expected.Timers.Clear();
            Assert.Equal(expected.Describe(), (await ReadAsync(taken, mayBeAhead: false)).Describe());
            Assert.All(_subtasks, subtask => Assert.Equal(StateSetup.Checkpoint(taken.Number), subtask.State.Base));
        }

        private async Task<StateModel> ReadAsync(Taken taken, bool mayBeAhead = true)
        {
            var chains = Enumerable.Range(0, taken.Frozen.Length).Select(i => _chains[(taken.Number, i)]).ToList();
            var read = new StateModel();
            for (var i = 0; i < _subtasks.Length; i++)
            {
                if (mayBeAhead && _random.Next(2) == 0) _subtasks[i] = await ReadAheadAsync(_subtasks[i], chains);
                var subtask = _subtasks[i];
                await subtask.State.RestoreAsync(_store, chains, TestContext.Current.CancellationToken);
                subtask.AddTo(read);
                Assert.Equal(chains.Where(chain => chain.FormerGroups.Overlaps(subtask.State.Groups)).Min(chain => taken.PurgedBefore[chain.FormerSubtask]), subtask.Windows.PurgedBefore);
            }

            return read;
        }

        /// <summary>Reads how the chains begin, in one go or several; the next subtask, with the tables, reads on.</summary>
        private async Task<ModelSubtask> ReadAheadAsync(ModelSubtask subtask, List<SegmentChain> chains)
        {
            var lengths = chains.Select(static _ => 1).ToArray();
            for (var go = _random.Next(3); go >= 0; go--)
            {
                for (var i = 0; i < lengths.Length; i++) lengths[i] = _random.Next(lengths[i], chains[i].Segments.Count + 1);
                var begun = chains.Zip(lengths, static (chain, length) => chain with { Segments = [.. chain.Segments.Take(length)] }).ToList();
                await subtask.State.ReadAheadAsync(_store, begun, TestContext.Current.CancellationToken);
            }

            Assert.True(subtask.State.IsAheadOf(chains));
            var next = subtask.Next();
            Assert.True(next.State.IsTakenOver);
            return next;
        }

        private async Task CheckAsync(Taken taken)
        {
            Open(_random.Next(1, 6));
            var read = await ReadAsync(taken);
            Assert.Equal(taken.Model.Keys.Count(), _subtasks.Sum(s => s.Table.KeyCount));
            foreach (var subtask in _subtasks)
            {
                var drained = subtask.DrainTimers();
                Assert.Equal(drained.OrderBy(t => t.At).ThenBy(t => KeyCodec<string>.Default.Hash(t.Key)), drained);
                foreach (var timer in drained) Assert.True(read.Timers.Add(timer));
            }

            Assert.Equal(taken.Model.Describe(), read.Describe());
        }

        private async Task RestoreAsync()
        {
            if (_published.Count == 0) return;
            var taken = _published[_random.Next(Math.Max(0, _published.Count - 3), _published.Count)];
            await CheckAsync(taken);

            // And go on from it, as another attempt does: at the same parallelism with deltas on the restored chain.
            _inFlight.Clear();
            Open(_random.Next(2) == 0 ? taken.Frozen.Length : _random.Next(1, 6));
            await ReadAsync(taken);
            _model = taken.Model.Copy();
        }
    }

    private sealed record Taken(long Number, StateModel Model, FrozenSubtask[] Frozen, KeyGroupRange[] Groups, long[] PurgedBefore);
}
