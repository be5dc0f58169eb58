using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.Silo.Hosting;

/// <summary>The jobs of this silo, embedded or in a cluster.</summary>
internal static class KnownJobs
{
    /// <summary>Registers all of them.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="start">What the job on sensor readings is started with when nothing else is said; null when it waits to be started, as the others do.</param>
    public static void AddTo(ISiloBuilder silo, JobStart? start) => silo
        .AddStreamJob<AverageSensorReadings>(AverageSensorReadings.JobName, start)
        .AddStreamJob<AllroundJob>(AllroundJob.JobName);
}
