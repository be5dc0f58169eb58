namespace OrleansStream.Patterns;

/// <summary>A way through a pattern that may still become a match, or a match that is held back.</summary>
/// <param name="State">The number of its state.</param>
/// <param name="Node">The node of its last record.</param>
/// <param name="Start">The number of its first record: the lower, the earlier.</param>
/// <param name="StartTime">The event time of its first record.</param>
/// <param name="LastTime">The event time of its last record.</param>
[GenerateSerializer, Immutable, Alias("os.PartialMatch")]
internal readonly record struct PartialMatch(
    [property: Id(0)] int State, [property: Id(1)] long Node, [property: Id(2)] long Start, [property: Id(3)] long StartTime, [property: Id(4)] long LastTime);

/// <summary>A record that a step took, behind the one before it. Partial matches that began alike share the nodes of what they have in common.</summary>
/// <param name="Parent">The node of the record before; 0 for none.</param>
/// <param name="Record">The number of the record.</param>
/// <param name="Step">The number of the step.</param>
/// <param name="Uses">How many partial matches end here, and how many nodes stand behind this one.</param>
[GenerateSerializer, Immutable, Alias("os.MatchNode")]
internal readonly record struct MatchNode([property: Id(0)] long Parent, [property: Id(1)] long Record, [property: Id(2)] int Step, [property: Id(3)] int Uses);

/// <summary>A record that partial matches have taken, kept once.</summary>
/// <param name="Record">The record.</param>
/// <param name="Time">Its event time.</param>
/// <param name="Uses">How many nodes are of it.</param>
[GenerateSerializer, Immutable, Alias("os.KeptRecord`1")]
internal readonly record struct KeptRecord<T>([property: Id(0)] T Record, [property: Id(1)] long Time, [property: Id(2)] int Uses);

/// <summary>A record that waits for the watermark to pass it.</summary>
/// <param name="Record">The record.</param>
/// <param name="Time">Its event time.</param>
[GenerateSerializer, Immutable, Alias("os.WaitingRecord`1")]
internal readonly record struct WaitingRecord<T>([property: Id(0)] T Record, [property: Id(1)] long Time);

/// <summary>What a key has given out, and when it is to be looked at next.</summary>
/// <param name="Records">The number of the last record that was kept.</param>
/// <param name="Nodes">The number of the last node.</param>
/// <param name="Timer">The time of its timer; the beginning of time for none.</param>
[GenerateSerializer, Immutable, Alias("os.PatternCursor")]
internal readonly record struct PatternCursor([property: Id(0)] long Records, [property: Id(1)] long Nodes, [property: Id(2)] long Timer);
