namespace OrleansStream.Jobs;

/// <summary>What a silo says of a job.</summary>
/// <param name="Silo">The silo.</param>
/// <param name="IsActive">Whether it leads an attempt, or waits for the next one.</param>
/// <param name="Attempt">The last attempt that it knows; 0 for none.</param>
[GenerateSerializer, Immutable]
internal readonly record struct Leadership([property: Id(0)] string Silo, [property: Id(1)] bool IsActive, [property: Id(2)] int Attempt)
{
    /// <summary>
    /// The silo that a call for a job goes to: the one that leads it, the newest attempt's when several think so; else the one that knows how it ended; else the first place where it may be led
    /// from. Null when there is none.
    /// </summary>
    /// <param name="known">What the silos said, those that know nothing or did not answer left out.</param>
    /// <param name="places">Where it may be led from, the best first.</param>
    public static string? Choose(IEnumerable<Leadership> known, IReadOnlyList<string> places) =>
        known.Where(said => said.IsActive || said.Attempt > 0).OrderByDescending(static said => said.IsActive).ThenByDescending(static said => said.Attempt).Select(static said => said.Silo).FirstOrDefault()
        ?? (places.Count > 0 ? places[0] : null);
}
