using OrleansStream.Benchmarks.Peers;

namespace OrleansStream.Benchmarks.Average;

/// <summary>The averages of one sensor.</summary>
internal interface IReadingGrain : IKeyGrain<Reading>, IGrainWithStringKey;

/// <inheritdoc cref="IReadingGrain"/>
internal sealed class ReadingGrain(KeyStates<Reading> states) : KeyGrain<Reading>(states), IReadingGrain;

/// <summary>The averages of one stream.</summary>
internal interface IReadingPartitionGrain : IPartitionGrain;

/// <inheritdoc cref="IReadingPartitionGrain"/>
internal sealed class ReadingPartitionGrain(StreamRun<Reading, WindowTable> run) : PartitionGrain<Reading, WindowTable>(run), IReadingPartitionGrain;
