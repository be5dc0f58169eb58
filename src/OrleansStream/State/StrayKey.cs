namespace OrleansStream.State;

/// <summary>What to throw for a key that is where it does not belong: records or state went astray, and the attempt must end.</summary>
internal static class StrayKey
{
    public static InvalidOperationException Received<TKey>(string operatorName, TKey key, int group, KeyGroupRange owned) =>
        new($"Operator '{operatorName}' got a record with key '{key}' of key group {group}, but this subtask owns the groups {owned.Start} to {owned.End - 1}: "
            + "records and state went different ways.");

    public static InvalidOperationException Restored<TKey>(TKey key, int savedIn, int group) =>
        new($"key '{key}' was saved in key group {savedIn}, but belongs to {group}");
}
