using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace OrleansStream.Hosting;

/// <summary>
/// Places a grain on the silo that its key names, outside the directory: there is nothing to look up or to register, and no second activation elsewhere.
/// When the silo is gone, calls fail.
/// </summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class PinnedPlacement : PlacementStrategy
{
    public static PinnedPlacement Singleton { get; } = new();

    public override bool IsUsingGrainDirectory => false;
}

/// <summary>Marks a grain whose key is made by <see cref="PinnedKey"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class PinnedPlacementAttribute() : PlacementAttribute(PinnedPlacement.Singleton);

/// <summary>Reads the silo from the key.</summary>
internal sealed class PinnedPlacementDirector : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var key = target.GrainIdentity.Key.ToString()!;
        var silo = PinnedKey.SiloOf(key);
        return Array.IndexOf(context.GetCompatibleSilos(target), silo) >= 0
            ? Task.FromResult(silo)
            : throw new Stages.GoneException($"Silo {silo} is not in the cluster any more, and '{key}' lives nowhere else.");
    }
}

/// <summary>The key of a pinned grain: <c>silo|name</c>.</summary>
internal static class PinnedKey
{
    public static string Of(string silo, string name) => $"{silo}|{name}";

    public static SiloAddress SiloOf(string key)
    {
        var bar = key.IndexOf('|', StringComparison.Ordinal);
        return bar > 0 ? SiloAddress.FromParsableString(key[..bar]) : throw new ArgumentException($"'{key}' names no silo.", nameof(key));
    }

    public static string Subtask(string silo, string job, Jobs.Attempt attempt, Jobs.SubtaskId id) => Of(silo, $"{job}/{attempt}/{id}");

    public static string Coordinator(string silo, string job, Jobs.Attempt attempt) => Of(silo, $"{job}/{attempt}");
}
