using System.Net;
using OrleansStream.Http;

namespace OrleansStream.Silo.Hosting;

/// <summary>Where a silo of a cluster finds the others, and where it can be found.</summary>
internal sealed record ClusterSettings
{
    public required ClusterPlace Clustering { get; init; }

    public required StoragePlace Storage { get; init; }

    public string ClusterId { get; init; } = "orleansstream";

    /// <summary>The address that other silos know this one by, and at which it listens for them.</summary>
    public IPAddress SiloAddress { get; init; } = IPAddress.Loopback;

    public int SiloPort { get; init; } = 11_111;

    public int GatewayPort { get; init; } = 30_000;

    public int HttpPort { get; init; } = 8081;

    /// <summary>The address at which it answers over HTTP.</summary>
    public IPAddress HttpAddress { get; init; } = IPAddress.Loopback;

    /// <summary>Keys that HTTP asks for; none asks for none, on the loopback address only.</summary>
    public IReadOnlyList<StreamApiKey> ApiKeys { get; init; } = [];

    /// <summary>Which tokens HTTP takes besides.</summary>
    public StreamJwtOptions? Jwt { get; init; }

    /// <summary>The folders whose files jobs may open.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    public TimeSpan? CheckpointInterval { get; init; }

    /// <summary>A folder of this silo's own for snapshots near it; none when null.</summary>
    public string? LocalSnapshots { get; init; }

    public bool Verbose { get; init; }
}

/// <summary>Where the members of a cluster are written down.</summary>
/// <param name="Redis">The connection string of a Redis, or whatever speaks its protocol.</param>
internal sealed record ClusterPlace(string Redis)
{
    public const string Forms = "redis=HOST:PORT";

    /// <summary>Reads a place; null when it is none.</summary>
    public static ClusterPlace? Parse(string text) => text.Split('=', 2) is ["redis", { Length: > 0 } redis] ? new ClusterPlace(redis) : null;

    /// <summary>For people: where, without what a password may be in.</summary>
    public override string ToString() => Redis.Split(',', 2)[0];
}

/// <summary>Where checkpoints go.</summary>
/// <param name="Azure">A connection string; null for a folder.</param>
/// <param name="Folder">A folder that all silos share; null for Azure.</param>
internal sealed record StoragePlace(string? Azure, string? Folder)
{
    public const string Forms = "azure=CONNECTION_STRING or folder=PATH";

    /// <summary>Reads a place; null when it is none.</summary>
    public static StoragePlace? Parse(string text) => text.Split('=', 2) switch
    {
        ["azure", { Length: > 0 } connection] => new StoragePlace(connection, null),
        ["folder", { Length: > 0 } folder] => new StoragePlace(null, folder),
        _ => null,
    };

    /// <summary>For people: no keys.</summary>
    public override string ToString() => Folder is { } folder ? $"folder {folder}" : "Azure Blob Storage";
}
