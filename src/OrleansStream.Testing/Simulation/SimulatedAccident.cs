using System.Globalization;

namespace OrleansStream.Testing.Simulation;

/// <summary>One strike at a simulated cluster.</summary>
/// <param name="At">When, in virtual time from the start of the run.</param>
/// <param name="What">What was struck, and how.</param>
public sealed record SimulatedAccident(TimeSpan At, string What)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At.TotalMilliseconds:0.00} ms: {What}");
}
