using System.Collections.Concurrent;

namespace OrleansStream.Hosting;

/// <summary>
/// The silos of the cluster that seem to have gone, as seen from here. That a silo is dead is for the cluster's votes to say, which takes until probes have gone unanswered. Until then this is good for
/// what does no harm where it is wrong.
/// </summary>
internal sealed class SuspectedSilos
{
    private readonly ConcurrentDictionary<string, bool> _silos = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> All => [.. _silos.Keys];

    public bool Contains(string silo) => _silos.ContainsKey(silo);

    public bool Add(string silo) => _silos.TryAdd(silo, true);

    public bool Remove(string silo) => _silos.TryRemove(silo, out _);
}
