namespace OrleansStream.Testing.Simulation;

/// <summary>A simulated run that went wrong: the message has the seed, the step, what was promised, what was found, the last lines of the history, and how to make the run again.</summary>
public sealed class SimulationException : Exception
{
    /// <summary>How many lines of the history are in the message; all of it is in <see cref="Outcome"/>.</summary>
    private const int Lines = 25;

    internal SimulationException(SimulationOutcome outcome, string found, Exception? inner = null)
        : base(Describe(outcome, found), inner) => Outcome = outcome;

    /// <summary>The run, as far as it went.</summary>
    public SimulationOutcome Outcome { get; }

    private static string Describe(SimulationOutcome outcome, string found) =>
        $"Seed {outcome.Seed}, step {outcome.Steps}: {found}\n\n{outcome}\n"
        + $"Accidents:{Of(outcome.Accidents.Select(static accident => accident.ToString()), outcome.Accidents.Count)}\n"
        + $"The history's last lines:{Of(outcome.Log.TakeLast(Lines), outcome.Log.Count)}\n\n"
        + $"Make this run again with {nameof(SimulationOptions)}.{nameof(SimulationOptions.Seed)} = {outcome.Seed}, or, where {nameof(ClusterSimulation.ForSeedsAsync)} runs it, with the environment variable "
        + $"{ClusterSimulation.SeedVariable}={outcome.Seed}.";

    private static string Of(IEnumerable<string> lines, int all) => all == 0 ? " none" : string.Concat(lines.Select(static line => $"\n  {line.TrimStart()}"));
}
