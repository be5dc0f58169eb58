namespace OrleansStream.Jobs;

/// <summary>What a silo that leaves does for one job.</summary>
/// <param name="Job">The job.</param>
/// <param name="IsLed">Whether the job's grain, and so its coordinator, is on the silo: it is handed over. Else only subtasks are, and the job moves them away.</param>
internal readonly record struct HandOverStep(string Job, bool IsLed);

/// <summary>Decides which jobs a silo that leaves has to see off. Pure.</summary>
internal static class HandOverPlan
{
    /// <summary>The jobs in any order: they do not wait for each other.</summary>
    /// <param name="led">Those whose grain is on the silo.</param>
    /// <param name="present">Those with subtasks on the silo.</param>
    /// <param name="others">How many other silos there are: without one, there is nowhere to go.</param>
    public static IReadOnlyList<HandOverStep> Of(IReadOnlyCollection<string> led, IReadOnlyCollection<string> present, int others) => others == 0
        ? []
        : [.. led.Select(static job => new HandOverStep(job, true)), .. present.Except(led).Select(static job => new HandOverStep(job, false))];
}
