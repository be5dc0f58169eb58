using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.Silo.Jobs;
using OrleansStream.Silo.Jobs.Allround;

namespace OrleansStream.Silo.Hosting;

/// <summary>The jobs of this silo, embedded or in a cluster.</summary>
internal static class KnownJobs
{
    /// <summary>Registers all of them, or one.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="start">What the jobs on sensor readings are started with when nothing else is said; null when they wait to be started, as the others do.</param>
    /// <param name="only">The name of the one job to register; null for all.</param>
    public static void AddTo(ISiloBuilder silo, JobStart? start, string? only = null)
    {
        Add<AverageSensorReadings>(AverageSensorReadings.JobName);
        Add<SensorAnomalies>(SensorAnomalies.JobName);
        Add<AllroundJob>(AllroundJob.JobName);

        void Add<TJob>(string name)
            where TJob : class, IStreamJob
        {
            if (only is null || only == name) silo.AddStreamJob<TJob>(name, name == AllroundJob.JobName ? null : start);
        }
    }
}
