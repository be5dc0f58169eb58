using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace OrleansStream.Hosting;

/// <summary>Places a job grain on the silo that calls it first, unless that silo leaves: then on the first of the others.</summary>
[GenerateSerializer, Immutable, SuppressReferenceTracking]
internal sealed class JobPlacement : PlacementStrategy
{
    public static JobPlacement Singleton { get; } = new();
}

/// <summary>Marks the grain of a job.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class JobPlacementAttribute() : PlacementAttribute(JobPlacement.Singleton);

/// <inheritdoc cref="JobPlacement"/>
internal sealed class JobPlacementDirector(ILocalSiloDetails local, SiloJobs jobs) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silos = context.GetCompatibleSilos(target);
        var here = local.SiloAddress;
        if (!jobs.IsLeaving && Array.IndexOf(silos, here) >= 0) return Task.FromResult(here);
        return Task.FromResult(silos.Where(silo => !silo.Equals(here)).Order().FirstOrDefault() ?? here);
    }
}
