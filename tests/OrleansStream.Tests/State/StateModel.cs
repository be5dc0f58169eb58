using OrleansStream.State;

namespace OrleansStream.Tests.State;

/// <summary>What the tables should hold, in plain dictionaries.</summary>
internal sealed class StateModel
{
    public SortedDictionary<string, long> Totals { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, Profile> Profiles { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, List<int>> Lists { get; } = new(StringComparer.Ordinal);

    public SortedDictionary<string, List<(int Key, string Value)>> Maps { get; } = new(StringComparer.Ordinal);

    public SortedSet<(string Key, long At)> Timers { get; } = new(TimerOrder);

    public SortedDictionary<(string Key, long Start), Average> Windows { get; } = new(TimerOrder);

    /// <summary>Every key that has anything beside windows, once.</summary>
    public IEnumerable<string> Keys => Totals.Keys.Union(Profiles.Keys).Union(Lists.Keys).Union(Maps.Keys).Union(Timers.Select(static t => t.Key));

    private static Comparer<(string, long)> TimerOrder { get; } = Comparer<(string, long)>.Create(
        static (a, b) => string.CompareOrdinal(a.Item1, b.Item1) is var c && c != 0 ? c : a.Item2.CompareTo(b.Item2));

    public StateModel Copy()
    {
        var copy = new StateModel();
        foreach (var (k, v) in Totals) copy.Totals[k] = v;
        foreach (var (k, v) in Profiles) copy.Profiles[k] = v;
        foreach (var (k, v) in Lists) copy.Lists[k] = [.. v];
        foreach (var (k, v) in Maps) copy.Maps[k] = [.. v];
        foreach (var timer in Timers) copy.Timers.Add(timer);
        foreach (var (k, v) in Windows) copy.Windows[k] = v;
        return copy;
    }

    /// <summary>One line per piece of state, sorted: what two equal states have in common.</summary>
    public string Describe() => Join(
        Totals.Select(p => $"total {p.Key} = {p.Value}"),
        Profiles.Select(p => $"profile {p.Key} = {p.Value}"),
        Lists.Select(p => $"list {p.Key} = {string.Join(',', p.Value)}"),
        Maps.Select(p => $"map {p.Key} = {string.Join(',', p.Value)}"),
        Timers.Select(t => $"timer {t}"),
        Windows.Select(p => $"window {p.Key} = {p.Value}"));

    private static string Join(params IEnumerable<string>[] parts) => string.Join('\n', parts.SelectMany(static p => p).Order(StringComparer.Ordinal));
}

/// <summary>One subtask with a table of each kind.</summary>
internal sealed class ModelSubtask
{
    public static readonly ValueState<long> Total = new("total");
    public static readonly ValueState<Profile> Profile = new("profile");
    public static readonly ListState<int> List = new("list");
    public static readonly MapState<int, string> Map = new("map");

    public ModelSubtask(KeyGroupRange groups, int maxParallelism)
        : this(new SubtaskState(groups, maxParallelism, StateSetup.Serializers))
    {
    }

    private ModelSubtask(SubtaskState state)
    {
        State = state;
        Table = State.Register(new KeyedStateTable<string>("score", state.Groups, state.MaxParallelism, [Total, Profile, List, Map], StateSetup.Serializers));
        Windows = State.Register(new WindowTable<string, Average>("average", state.Groups, state.MaxParallelism, StateSetup.Serializers));
    }

    /// <summary>The subtask of the next attempt, with this one's tables.</summary>
    public ModelSubtask Next()
    {
        State.PassOn();
        return new ModelSubtask(State);
    }

    public SubtaskState State { get; }

    public KeyedStateTable<string> Table { get; }

    public WindowTable<string, Average> Windows { get; }

    /// <summary>Reads everything back out of the tables.</summary>
    public void AddTo(StateModel model)
    {
        var (totals, profiles, lists, maps) = (Table.Values(Total), Table.Values(Profile), Table.Lists(List), Table.Maps(Map));
        for (var slot = 0; slot < Table.SlotLimit; slot++)
        {
            if (!Table.IsLive(slot)) continue;
            var key = Table.KeyOf(slot);
            if (totals.Has(slot)) model.Totals.Add(key, totals.Get(slot));
            if (profiles.Has(slot)) model.Profiles.Add(key, profiles.Get(slot));
            if (lists.Count(slot) > 0) model.Lists.Add(key, [.. lists.Items(slot)]);
            if (maps.Count(slot) > 0) model.Maps.Add(key, [.. maps.Entries(slot).Select(e => (e.Key, e.Value))]);
        }

        for (var slot = 0; slot < Windows.SlotLimit; slot++)
        {
            if (Windows.IsLive(slot)) model.Windows.Add((Windows.KeyOf(slot), Windows.StartOf(slot)), Windows.Read(slot));
        }
    }

    /// <summary>Takes all timers out, which is the only way to see them, and gives them back in the same order.</summary>
    public List<(string Key, long At)> DrainTimers()
    {
        var timers = new List<(string, long)>();
        while (Table.EventTimers.TryPopDue(long.MaxValue, out var slot, out var at)) timers.Add((Table.KeyOf(slot), at));
        return timers;
    }
}
