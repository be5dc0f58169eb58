using OrleansStream.Jobs;

namespace OrleansStream.Silo.Jobs.Allround;

/// <summary>Something that exactly once and in order rule out. The job fails for good: whatever else it gave would be worth nothing.</summary>
/// <param name="message">The check, the key, what was expected and what was seen.</param>
[GenerateSerializer, Alias("allround.ViolationException")]
internal sealed class ViolationException(string message) : StreamException(message)
{
    /// <inheritdoc/>
    public override bool IsPermanent => true;

    /// <summary>What is thrown by a check of one key.</summary>
    public static ViolationException Of(string check, long key, string expected, string seen) => new($"Violation: check '{check}', key {key}: expected {expected}, saw {seen}.");

    /// <summary>Demands that the next record of a key is the one after the last.</summary>
    public static void RequireNext(string check, Beat seen, long last)
    {
        if (seen.Sequence == last + 1) return;
        throw Of(check, seen.Key, $"record {last + 1}", $"record {seen.Sequence} ({(seen.Sequence <= last ? "doubled, or out of order" : "one was lost, or out of order")})");
    }

    /// <summary>Demands that all of a key have come when the input has ended.</summary>
    public static void RequireAll(string check, long key, string what, long expected, long seen)
    {
        if (seen != expected) throw Of(check, key, $"{expected} {what} by the end of input", $"{seen}");
    }
}
