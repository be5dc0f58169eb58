using System.Text.Json;
using OrleansStream.State;

namespace OrleansStream.Tests.Formats;

/// <summary>All state of a <see cref="StateScenario"/> as lines of text, sorted: what a person can look at, and what restores are held against. Takes the timers out.</summary>
internal static class StateText
{
    private static readonly JsonSerializerOptions Json = new() { IncludeFields = true, NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };

    public static IEnumerable<string> Of(StateScenario state)
    {
        var lines = new List<string>();
        lines.AddRange(Values(state.ByString, StateScenario.Total).Concat(Values(state.ByString, StateScenario.Ratio)).Concat(Values(state.ByString, StateScenario.Profile)));
        lines.AddRange(Values(state.ByString, StateScenario.Note).Concat(Lists(state.ByString, StateScenario.Amounts)).Concat(Lists(state.ByString, StateScenario.Profiles)));
        lines.AddRange(Maps(state.ByString, StateScenario.Counts).Concat(Maps(state.ByString, StateScenario.Cards)));
        lines.AddRange(Values(state.ByInt, StateScenario.Mark).Concat(Values(state.ByInt, StateScenario.Words)));
        lines.AddRange(Values(state.ByLong, StateScenario.Small).Concat(Lists(state.ByLong, StateScenario.Amounts)));
        lines.AddRange(Values(state.ByGuid, StateScenario.Total).Concat(Maps(state.ByGuid, StateScenario.Counts)));
        lines.AddRange(Values(state.ByTuple, StateScenario.Total).Concat(Lists(state.ByTuple, StateScenario.Profiles)));
        lines.AddRange(Keys(state.ByString).Concat(Keys(state.ByInt)).Concat(Keys(state.ByLong)).Concat(Keys(state.ByGuid)).Concat(Keys(state.ByTuple)));
        lines.AddRange(Windows(state.Averages).Concat(Windows(state.Reduced)));
        return lines;
    }

    private static IEnumerable<string> Values<TKey, TValue>(KeyedStateTable<TKey> table, ValueState<TValue> state) =>
        from slot in Slots(table)
        where table.Values(state).Has(slot)
        select $"{table.Operator} {Text(table.KeyOf(slot))} {state.Name} = {Text(table.Values(state).Get(slot))}";

    private static IEnumerable<string> Lists<TKey, TValue>(KeyedStateTable<TKey> table, ListState<TValue> state) =>
        from slot in Slots(table)
        where table.Lists(state).Count(slot) > 0
        select $"{table.Operator} {Text(table.KeyOf(slot))} {state.Name} = {Text(table.Lists(state).Items(slot).ToArray())}";

    private static IEnumerable<string> Maps<TKey, TMapKey, TValue>(KeyedStateTable<TKey> table, MapState<TMapKey, TValue> state)
        where TMapKey : notnull =>
        from slot in Slots(table)
        where table.Maps(state).Count(slot) > 0
        select $"{table.Operator} {Text(table.KeyOf(slot))} {state.Name} = {Text(Entries(table.Maps(state), slot))}";

    private static List<object?[]> Entries<TMapKey, TValue>(MapColumn<TMapKey, TValue> column, int slot)
        where TMapKey : notnull
    {
        var entries = new List<object?[]>();
        foreach (var entry in column.Entries(slot)) entries.Add([entry.Key, entry.Value]);
        return entries;
    }

    private static List<string> Keys<TKey>(KeyedStateTable<TKey> table)
    {
        var lines = Slots(table).Select(slot => $"{table.Operator} {Text(table.KeyOf(slot))}").ToList();
        while (table.EventTimers.TryPopDue(long.MaxValue, out var slot, out var at)) lines.Add($"{table.Operator} {Text(table.KeyOf(slot))} event timer {Text(at)}");
        while (table.ProcessingTimers.TryPopDue(long.MaxValue, out var slot, out var at)) lines.Add($"{table.Operator} {Text(table.KeyOf(slot))} processing timer {Text(at)}");
        return lines;
    }

    private static List<string> Windows<TKey, TAccumulator>(WindowTable<TKey, TAccumulator> table)
    {
        var lines = new List<string> { $"{table.Operator} purged before {Text(table.PurgedBefore)}" };
        for (var slot = 0; slot < table.SlotLimit; slot++)
        {
            if (table.IsLive(slot)) lines.Add($"{table.Operator} {Text(table.KeyOf(slot))} window {Text(table.StartOf(slot))} = {Text(table.Read(slot))}");
        }

        return lines;
    }

    private static IEnumerable<int> Slots<TKey>(KeyedStateTable<TKey> table) => Enumerable.Range(0, table.SlotLimit).Where(table.IsLive);

    private static string Text<T>(T value) => JsonSerializer.Serialize(value, Json);
}
