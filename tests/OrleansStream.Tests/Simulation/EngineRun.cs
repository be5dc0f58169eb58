using OrleansStream.Testing.Simulation;

namespace OrleansStream.Tests.Simulation;

/// <summary>Runs of the engine's own jobs: which job, at what parallelism and on how many silos, the seed says.</summary>
internal static class EngineRun
{
    public static SimulatedRun Of(int seed, Breakage breakage = Breakage.None, Action<string>? trace = null)
    {
        var run = new SimulatedRun(seed, Accidents.Usual, breakage == Breakage.None ? null : new BrokenBuild(breakage), trace);
        int? parallelism = run.Random.Next(3) == 0 ? null : run.Random.Next(1, SimulatedRun.MostParallelism + 1);
        var job = EngineJob.Of(run.Random.Next(EngineJob.Kinds), run);
        run.Begin(job, parallelism, run.Random.Next(1, 4));
        return run;
    }
}
