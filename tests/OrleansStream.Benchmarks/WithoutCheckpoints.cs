namespace OrleansStream.Benchmarks;

/// <summary>The engine without checkpoints while records flow, in the same runs as with them: what they cost is the ratio, run by run.</summary>
internal sealed class WithoutCheckpoints(IContender engine) : IContender
{
    public string Name => $"{engine.Name}-no-checkpoints";

    public string Description => "the same job; only the final checkpoint is taken, into memory";

    public Task<Outcome> RunAsync(RunSettings settings) => engine.RunAsync(settings with { Storage = RunSettings.NoStorage });
}
