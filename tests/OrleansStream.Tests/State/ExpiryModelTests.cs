using OrleansStream.Checkpoints;
using OrleansStream.Jobs;
using OrleansStream.Stages;
using OrleansStream.State;
using OrleansStream.Tests.Functions;
using OrleansStream.Tests.Stages;

namespace OrleansStream.Tests.State;

/// <summary>Random work with state that expires, saved, and restored at other parallelisms and under other policies, held against plain lists.</summary>
public sealed class ExpiryModelTests
{
    private const int MaxParallelism = 16;
    private const int Seeds = 1000;
    private const int Steps = 150;

    [Fact]
    public async Task State_that_expires_is_what_a_plain_reference_has_whatever_is_saved_restored_and_switched()
    {
        var restores = 0;
        for (var seed = 0; seed < Seeds; seed++)
        {
            var run = new Run(seed);
            try
            {
                await run.AllStepsAsync();
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"Seed {seed}, step {run.Step}: {e.Message}", e);
            }

            restores += run.Restores;
        }

        Assert.True(restores > Seeds, $"There were only {restores} restores.");
    }

    private sealed class Run(int seed)
    {
        private readonly Random _random = new(seed);
        private readonly SegmentStore _store = new();
        private readonly Dictionary<(long Number, int Subtask), SegmentChain> _chains = [];
        private readonly List<(long Number, ExpiryModel Model, int Parallelism)> _published = [];
        private ExpiryModel _model = new();
        private KeyedRig[] _subtasks = [];
        private ValueState<int> _value = null!;
        private ReducingState<int> _sum = null!;
        private ListState<int> _list = null!;
        private MapState<int, int> _map = null!;
        private KeyedRig.Step _work = null!;
        private long _number;

        public int Step { get; private set; }

        public int Restores { get; private set; }

        public async Task AllStepsAsync()
        {
            Open(1 + _random.Next(3), Policies());
            for (; Step < Steps; Step++)
            {
                switch (_random.Next(20))
                {
                    case < 14: Work(); break;
                    case 14: Advance(_random.Next(15)); break;
                    case 15: Pass(_random.Next(15)); break;
                    case < 19: Save(); break;
                    default: await RestoreAsync(); break;
                }

                Assert.Equal(_model.Describe(), Describe());
            }

            Drain();
        }

        private Policy[] Policies() => [.. Enumerable.Range(0, ExpiryModel.States).Select(state => _random.Next(3) switch
        {
            0 => new Policy(null, true, false),
            1 => new Policy(1 + _random.Next(40), true, _random.Next(3) == 0),
            _ => new Policy(1 + _random.Next(40), false, _random.Next(3) == 0),
        })];

        private void Open(int parallelism, Policy[] policies)
        {
            _model.Policies = policies;
            _value = new ValueState<int>("value") { TimeToLive = policies[ExpiryModel.Value].Make() };
            _sum = new ReducingState<int>("sum", static (have, item) => have + item) { TimeToLive = policies[ExpiryModel.Sum].Make() };
            _list = new ListState<int>("list") { TimeToLive = policies[ExpiryModel.List].Make() };
            _map = new MapState<int, int>("map") { TimeToLive = policies[ExpiryModel.Map].Make() };
            _subtasks = [.. Enumerable.Range(0, parallelism).Select(index =>
            {
                var context = Wiring.Context(new SubtaskId(1, index), parallelism, MaxParallelism, "", []);
                context.Now = new Clock(_model.Clock, 0);
                return new KeyedRig([_value, _sum, _list, _map], (record, ref keyed) => _work(record, ref keyed), context: context);
            })];
        }

        private KeyedRig OwnerOf(char key) =>
            _subtasks[KeyGroups.Subtask(KeyGroups.Of(KeyCodec<string>.Default.Hash($"{key}"), MaxParallelism), _subtasks.Length, MaxParallelism)];

        private void Work()
        {
            var key = (char)('a' + _random.Next(8));
            var at = Math.Max(_model.Watermark, 0) + _random.Next(-10, 30);
            var (place, number) = (_random.Next(4), Step);
            IEnumerable<int> expected = [];
            switch (_random.Next(12))
            {
                case 0:
                    _work = (_, ref context) => context.Emit($"{(context.Has(_value) ? context.Get(_value) : -1)}");
                    expected = _model.Read(ExpiryModel.Value, key, at, isRead: true).Select(static p => p.Value).DefaultIfEmpty(-1);
                    break;
                case 1:
                    _work = (_, ref context) => context.Set(_value, number);
                    _model.Set(ExpiryModel.Value, key, 0, number, at);
                    break;
                case 2:
                    _work = (_, ref context) => context.Clear(_value);
                    _model.Remove(ExpiryModel.Value, key);
                    break;
                case 3:
                case 4:
                    _work = (_, ref context) => context.Add(_sum, number);
                    var sum = _model.Read(ExpiryModel.Sum, key, at, isRead: true).Sum(static p => p.Value);
                    _model.Set(ExpiryModel.Sum, key, 0, sum + number, at);
                    break;
                case 5:
                    _work = (_, ref context) => context.Add(_list, number);
                    _model.Append(ExpiryModel.List, key, number, at);
                    break;
                case 6:
                    _work = (_, ref context) => context.Emit(string.Join(' ', context.Items(_list).ToArray()));
                    expected = _model.Read(ExpiryModel.List, key, at, isRead: true).Select(static p => p.Value);
                    break;
                case 7:
                    _work = (_, ref context) => context.Replace(_list, [number, -number]);
                    _model.Remove(ExpiryModel.List, key);
                    _model.Append(ExpiryModel.List, key, number, at);
                    _model.Append(ExpiryModel.List, key, -number, at);
                    break;
                case 8:
                case 9:
                    _work = (_, ref context) => context.Set(_map, place, number);
                    _model.Set(ExpiryModel.Map, key, place, number, at);
                    break;
                case 10:
                    _work = (_, ref context) =>
                    {
                        var count = context.Count(_map);
                        var looked = context.TryGet(_map, place, out var value) ? value : -1;
                        context.Emit(string.Join(' ', context.Entries(_map).Select(static entry => entry.Value).Prepend(looked).Prepend(count)));
                    };
                    var all = _model.Read(ExpiryModel.Map, key, at, isRead: true);
                    expected = all.Select(static p => p.Value).Prepend(all.Where(p => p.Place == place).Select(static p => p.Value).DefaultIfEmpty(-1).First()).Prepend(all.Count);
                    break;
                default:
                    _work = (_, ref context) => context.Emit(context.Remove(_map, place) ? "1" : "0");
                    expected = [_model.Read(ExpiryModel.Map, key, at, isRead: false, place).Count];
                    _model.Remove(ExpiryModel.Map, key, place);
                    break;
            }

            Assert.Equal(string.Join(' ', expected), string.Join(' ', OwnerOf(key).Give(($"{key}", at))));
        }

        private void Advance(long by)
        {
            _model.Advance(Math.Max(_model.Watermark, 0) + by);
            foreach (var subtask in _subtasks) subtask.Advance(_model.Watermark);
        }

        private void Pass(long by)
        {
            _model.Clock += by;
            foreach (var subtask in _subtasks) subtask.Pass(_model.Clock);
        }

        private void Save()
        {
            var id = StateSetup.Checkpoint(++_number);
            var full = _random.Next(5) == 0;
            FrozenSubtask[] frozen = [.. _subtasks.Select(subtask => subtask.Context.State.Freeze(id, full, []))];
            var isPublished = _random.Next(4) > 0;
            for (var i = 0; i < frozen.Length; i++)
            {
                var segment = _store.Put($"{_number}/{i}", frozen[i].Encode(256));
                List<SegmentRef> segments = frozen[i].Base is { } b ? [.. _chains[(b.Number, i)].Segments, segment] : [segment];
                _chains[(_number, i)] = new SegmentChain(i, _subtasks[i].Context.Groups, segments);
                if (isPublished) _subtasks[i].Context.State.Published(id);
                else _subtasks[i].Context.State.Abandoned(id);
            }

            if (isPublished) _published.Add((_number, _model.Copy(), frozen.Length));
        }

        private async Task RestoreAsync()
        {
            if (_published.Count == 0) return;
            var (number, model, parallelism) = _published[_random.Next(Math.Max(0, _published.Count - 3), _published.Count)];
            var clock = _model.Clock;
            var policies = _random.Next(3) == 0 ? model.Policies : Policies();
            _model = model.Copy();
            _model.Clock = clock;
            Restores++;
            Open(_random.Next(2) == 0 ? parallelism : 1 + _random.Next(3), policies);
            var chains = Enumerable.Range(0, parallelism).Select(i => _chains[(number, i)]).ToList();
            foreach (var subtask in _subtasks)
            {
                await subtask.Context.State.RestoreAsync(_store, chains, TestContext.Current.CancellationToken);
                subtask.Context.FormerWatermarks = [new FormerWatermark(subtask.Context.Groups, model.Watermark)];
                await subtask.Operator.OpenAsync(TestContext.Current.CancellationToken);
            }

            _model.Policies = model.Policies;
            _model.Clock = model.Clock;
            _model.Restore(policies, clock, IsThere);
        }

        private bool IsThere(int state, char key, int place, int value)
        {
            var table = OwnerOf(key).Scope.Table;
            if (!table.TryGetSlot($"{key}", KeyCodec<string>.Default.Hash($"{key}"), out var slot)) return false;
            return state switch
            {
                ExpiryModel.Value => ((ValueColumn<int>)table.ColumnOf(_value)).Has(slot),
                ExpiryModel.Sum => ((ValueColumn<int>)table.ColumnOf(_sum)).Has(slot),
                ExpiryModel.List => table.Lists(_list).Items(slot).Contains(value),
                _ => table.Maps(_map).TryGet(slot, place, out _),
            };
        }

        private string Describe()
        {
            var lines = new List<(int, char, string)>();
            for (var key = 'a'; key <= 'h'; key++)
            {
                var table = OwnerOf(key).Scope.Table;
                if (!table.TryGetSlot($"{key}", KeyCodec<string>.Default.Hash($"{key}"), out var slot)) continue;
                table.Time.SeeClock(_model.Clock);
                Add(ExpiryModel.Value, table.TryPeek<int>(_value, slot, out var value) ? [$"0:{value}"] : []);
                Add(ExpiryModel.Sum, table.TryPeek<int>(_sum, slot, out var sum) ? [$"0:{sum}"] : []);
                Add(ExpiryModel.List, [.. table.Peek(_list, slot).ToArray().Select(static item => $"0:{item}")]);
                Add(ExpiryModel.Map, [.. table.Peek(_map, slot).Select(static entry => $"{entry.Key}:{entry.Value}")]);

                void Add(int state, IReadOnlyList<string> values)
                {
                    if (values.Count > 0) lines.Add((state, key, ExpiryModel.Line(state, key, values)));
                }
            }

            return string.Join('\n', lines.Order().Select(static line => line.Item3));
        }

        /// <summary>In the end everything that expires goes without being touched, and takes its keys with it.</summary>
        private void Drain()
        {
            Advance(1_000_000);
            Pass(1_000_000);
            for (var laps = 0; laps < 100 && _subtasks.Any(static subtask => subtask.Operator.NextTime is not null); laps++)
            {
                Advance(10);
                Pass(10);
            }

            Assert.Equal(_model.Keys.Count(), _subtasks.Sum(static subtask => subtask.Scope.Table.KeyCount));
        }
    }
}
