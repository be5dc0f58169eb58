using System.Text.Json;

namespace OrleansStream;

/// <summary>How files of JSON lines are read.</summary>
public sealed record JsonLinesOptions
{
    /// <summary>What to do with a line that cannot be read.</summary>
    public BadRecords BadRecords { get; init; }

    /// <summary>The longest line, in bytes; a longer one is a bad record. 1 MiB unless set.</summary>
    public int MaxLineBytes { get; init; } = 1 << 20;

    /// <summary>
    /// How values are read. Unless set: camel-case names in any case, unknown members passed over, missing constructor parameters, nulls where the type has none,
    /// repeated members and non-finite numbers refused.
    /// </summary>
    public JsonSerializerOptions? Serializer { get; init; }
}

/// <summary>How a file of JSON lines is written.</summary>
public sealed record JsonLinesOutputOptions
{
    /// <summary>
    /// Whether output of another run may be replaced: its parts are deleted when the job first starts, its final file is replaced when this job finishes.
    /// Refused unless set.
    /// </summary>
    public bool Overwrite { get; init; }

    /// <summary>How values are written. Unless set: camel-case names, text escaped only where JSON must, non-finite numbers refused.</summary>
    public JsonSerializerOptions? Serializer { get; init; }
}
