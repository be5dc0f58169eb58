using OrleansStream.Benchmarks.Peers;

namespace OrleansStream.Benchmarks.Aggregate;

/// <summary>The total of one key.</summary>
internal interface IAmountGrain : IKeyGrain<Amount>, IGrainWithIntegerKey;

/// <inheritdoc cref="IAmountGrain"/>
internal sealed class AmountGrain(KeyStates<Amount> states) : KeyGrain<Amount>(states), IAmountGrain;

/// <summary>The totals of one stream.</summary>
internal interface IAmountPartitionGrain : IPartitionGrain;

/// <inheritdoc cref="IAmountPartitionGrain"/>
internal sealed class AmountPartitionGrain(StreamRun<Amount, TotalTable> run) : PartitionGrain<Amount, TotalTable>(run), IAmountPartitionGrain;
