using System.Text.Json.Serialization;
using OrleansStream.Jobs;
using OrleansStream.Sources;

namespace OrleansStream.Checkpoints;

/// <summary>
/// An entry of an attempt's log, written once. The family is closed: <see cref="Started"/>, <see cref="Published"/>, <see cref="Dropped"/>,
/// <see cref="Stopped"/>, <see cref="Finished"/>, <see cref="Failed"/>, <see cref="Sealed"/>.
/// </summary>
/// <param name="WriterId">Who wrote it: a random id that its maker uses for nothing else.</param>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "entry")]
[JsonDerivedType(typeof(Started), "started")]
[JsonDerivedType(typeof(Published), "published")]
[JsonDerivedType(typeof(Dropped), "dropped")]
[JsonDerivedType(typeof(Stopped), "stopped")]
[JsonDerivedType(typeof(Finished), "finished")]
[JsonDerivedType(typeof(Failed), "failed")]
[JsonDerivedType(typeof(Sealed), "sealed")]
internal abstract record LogEntry(string WriterId)
{
    /// <summary>All kept checkpoints after this entry, newest first, when the entry says so: recovery reads only the newest entry that does.</summary>
    [JsonIgnore]
    public virtual IReadOnlyList<ManifestRef>? KeptAfter => null;

    /// <summary>Whether the job ended with this entry; nothing but a seal follows in the attempt.</summary>
    [JsonIgnore]
    public bool IsEnd => this is Stopped or Finished or Failed;

    /// <summary>Encodes and frames the entry.</summary>
    public byte[] Encode() => CheckpointJson.Encode(ObjectKind.LogEntry, InOrder(), CheckpointJson.Default.LogEntry);

    /// <summary>Checks and decodes an entry.</summary>
    /// <exception cref="DamagedObjectException">The bytes are not those of an entry as it was written.</exception>
    public static LogEntry Decode(string name, ReadOnlyMemory<byte> bytes) =>
        CheckpointJson.Decode(name, ObjectKind.LogEntry, bytes, CheckpointJson.Default.LogEntry);

    /// <summary>The same entry, its bytes a matter of its content alone.</summary>
    private protected virtual LogEntry InOrder() => this;

    /// <summary>Checks what the entry says against itself and the attempt it is for.</summary>
    /// <exception cref="ArgumentException">It contradicts itself.</exception>
    public void RequireValid(Attempt attempt)
    {
        ArgumentException.ThrowIfNullOrEmpty(WriterId);
        if (KeptAfter is { } kept) ManifestOrder.RequireNewestFirst(kept);
        var problem = this switch
        {
            Started s when s.Attempt != attempt => $"attempt {s.Attempt}'s start does not belong into attempt {attempt}'s log",
            Started s when s.FromCheckpoint is { } from && !s.Kept.Contains(from) => $"the attempt starts from checkpoint {from.Id}, which is not kept",
            Published p when p.Manifest.Id.Attempt != attempt => $"checkpoint {p.Manifest.Id} was not taken by attempt {attempt}",
            Published p when p.Kept.Count == 0 || p.Kept[0] != p.Manifest => $"checkpoint {p.Manifest.Id} is published but is not the newest kept one",
            Dropped d when d.Kept.Count == 0 => "the only checkpoint may not be dropped",
            Dropped d when d.Kept.Any(k => d.Checkpoints.Contains(k.Id)) => "a dropped checkpoint is among the kept ones",
            _ => null,
        };
        if (problem is not null) throw new ArgumentException($"A log entry contradicts itself: {problem}.");
    }
}

/// <summary>The attempt began: always entry 0, unless a seal is.</summary>
/// <param name="WriterId">The attempt's only writer.</param>
/// <param name="Attempt">The attempt.</param>
/// <param name="FromCheckpoint">Where it goes on from; null when it begins from nothing.</param>
/// <param name="Arguments">The job's arguments.</param>
/// <param name="Parallelism">The job's parallelism.</param>
/// <param name="MaxParallelism">The number of key groups.</param>
/// <param name="Fingerprint">Of the graph.</param>
/// <param name="Inputs">Per source name, the splits it found.</param>
/// <param name="Kept">All kept checkpoints, newest first.</param>
/// <param name="At">When.</param>
internal sealed record Started(
    string WriterId,
    Attempt Attempt,
    ManifestRef? FromCheckpoint,
    IReadOnlyDictionary<string, string[]> Arguments,
    int Parallelism,
    int MaxParallelism,
    string Fingerprint,
    IReadOnlyDictionary<string, IReadOnlyList<SourceSplit>> Inputs,
    IReadOnlyList<ManifestRef> Kept,
    DateTimeOffset At) : LogEntry(WriterId)
{
    /// <summary>The graph in words, one operator a line, so that a refusal can say what has changed in it.</summary>
    public string Graph { get; init; } = "";

    /// <summary>The most records per second of each source that the job was started with; null for no limit.</summary>
    public double? RecordsPerSecond { get; init; }

    /// <summary>The time between checkpoints that the job was started with; null for the silo's.</summary>
    public TimeSpan? CheckpointInterval { get; init; }

    /// <summary>The parallelism that the job was registered with, 0 for none in particular, when it was rescaled to what it has here; null when that comes from elsewhere.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? RescaledOver { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<ManifestRef> KeptAfter => Kept;

    private protected override LogEntry InOrder() => this with { Arguments = CheckpointJson.ByName(Arguments), Inputs = CheckpointJson.ByName(Inputs) };
}

/// <summary>A checkpoint was published: the commit point.</summary>
/// <param name="WriterId">The attempt's only writer.</param>
/// <param name="Manifest">Its manifest.</param>
/// <param name="Kept">All kept checkpoints, newest first; <paramref name="Manifest"/> leads.</param>
internal sealed record Published(string WriterId, ManifestRef Manifest, IReadOnlyList<ManifestRef> Kept) : LogEntry(WriterId)
{
    /// <summary>The parallelism of the next attempt, when this checkpoint was taken to rescale the job: whoever begins that attempt keeps to it. Else null.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Parallelism { get; init; }

    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<ManifestRef> KeptAfter => Kept;
}

/// <summary>Checkpoints were dropped: what only they name may be deleted from now on.</summary>
/// <param name="WriterId">The attempt's only writer.</param>
/// <param name="Checkpoints">Those that were dropped.</param>
/// <param name="Kept">All kept checkpoints, newest first.</param>
internal sealed record Dropped(string WriterId, IReadOnlyList<CheckpointId> Checkpoints, IReadOnlyList<ManifestRef> Kept) : LogEntry(WriterId)
{
    /// <inheritdoc/>
    [JsonIgnore]
    public override IReadOnlyList<ManifestRef> KeptAfter => Kept;
}

/// <summary>A user stopped the job; it goes on when started again.</summary>
/// <param name="WriterId">The attempt's only writer.</param>
/// <param name="Reason">Why.</param>
internal sealed record Stopped(string WriterId, string Reason) : LogEntry(WriterId);

/// <summary>All input ended and the final checkpoint's output is committed.</summary>
/// <param name="WriterId">The attempt's only writer.</param>
internal sealed record Finished(string WriterId) : LogEntry(WriterId);

/// <summary>The job failed for good.</summary>
/// <param name="WriterId">The attempt's only writer.</param>
/// <param name="Cause">The first cause.</param>
/// <param name="Count">How many attempts failed one after the other.</param>
internal sealed record Failed(string WriterId, string Cause, int Count) : LogEntry(WriterId);

/// <summary>The attempt can write no more. Its writer, and nobody else, owns the next attempt. Never deleted.</summary>
/// <param name="WriterId">Who sealed.</param>
internal sealed record Sealed(string WriterId) : LogEntry(WriterId);
