namespace OrleansStream.ClusterTests.AzureStorage;

/// <summary>A grain as users write it, with state in the storage <c>blobs</c>.</summary>
internal interface ICounterGrain : IGrainWithStringKey
{
    Task<int> AddAsync(int amount);

    Task<int> ReadAsync();

    Task ClearAsync();
}

internal sealed class CounterGrain([PersistentState("count", "blobs")] IPersistentState<Counter> counter) : Grain, ICounterGrain
{
    public async Task<int> AddAsync(int amount)
    {
        counter.State.Value += amount;
        await counter.WriteStateAsync();
        return counter.State.Value;
    }

    public Task<int> ReadAsync() => Task.FromResult(counter.State.Value);

    public Task ClearAsync() => counter.ClearStateAsync();
}

[GenerateSerializer]
internal sealed class Counter
{
    [Id(0)]
    public int Value { get; set; }
}
