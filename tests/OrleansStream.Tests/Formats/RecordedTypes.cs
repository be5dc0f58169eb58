namespace OrleansStream.Tests.Formats;

// These types are in recorded files: their aliases, ids and the types of their members stay for ever. Do not rename, renumber or extend them; add others instead.

[GenerateSerializer, Immutable, Alias("os.tests.recorded.Profile")]
public sealed record RecordedProfile(
    [property: Id(0)] string? Name,
    [property: Id(1)] int Count,
    [property: Id(2)] RecordedColour Colour = RecordedColour.None,
    [property: Id(3)] decimal Amount = 0,
    [property: Id(4)] DateTime At = default,
    [property: Id(5)] Guid? Card = null,
    [property: Id(6)] RecordedProfile? Parent = null,
    [property: Id(7)] int[]? Scores = null);

[GenerateSerializer, Alias("os.tests.recorded.Colour")]
public enum RecordedColour
{
    None = 0,
    Red = 1,
    Blue = 200_000,
}

[GenerateSerializer, Immutable, Alias("os.tests.recorded.Average")]
public record struct RecordedAverage([property: Id(0)] long Count, [property: Id(1)] double Sum);
