using OrleansStream.Checkpoints;
using OrleansStream.Jobs;

namespace OrleansStream.Silo.Runs;

/// <summary>
/// The checkpoint folder of one run. Held by one process at a time through a lock that the system lets go when the process dies, however it dies. The lock is
/// a courtesy to people who start a command twice: what keeps two processes from spoiling each other's checkpoints is the job's history.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    private const string LockName = "run.lock";
    private const string JobsName = "jobs";
    private const string TemporaryName = "tmp";

    /// <summary>How long the lock of a process that is just dying is waited for.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan WaitStep = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _lock;

    private RunFolder(string path, LocalFolderStore store, FileStream held)
    {
        Path = path;
        Store = store;
        _lock = held;
    }

    /// <summary>The folder as it was given.</summary>
    public string Path { get; }

    public LocalFolderStore Store { get; }

    /// <summary>Opens the folder for a job, and makes it when it is not there.</summary>
    /// <exception cref="StreamException">It cannot be used, is in use, or belongs to another job.</exception>
    public static async Task<RunFolder> OpenAsync(string folder, string job, CancellationToken cancellation)
    {
        if (JobsIn(folder).FirstOrDefault(other => other != job) is { } other)
            throw new JobRefusedException($"The checkpoint folder '{folder}' belongs to job '{other}', not to '{job}': give another folder with --checkpoints.");
        var store = new LocalFolderStore(folder);
        return new RunFolder(folder, store, await LockAsync(folder, cancellation));
    }

    /// <summary>Forgets the job's history in one step; what is left of it is then deleted.</summary>
    /// <exception cref="JobRefusedException">The folder holds what no run has put there. Nothing was deleted.</exception>
    public void StartOver()
    {
        var jobs = System.IO.Path.Combine(Store.Location, JobsName);
        if (!Directory.Exists(jobs)) return;
        var forgotten = System.IO.Path.Combine(Store.Location, TemporaryName, $"{JobsName}.forgotten");
        if (Directory.Exists(forgotten)) Directory.Delete(forgotten, recursive: true);
        Directory.Move(jobs, forgotten);
        Directory.Delete(forgotten, recursive: true);
    }

    /// <summary>Refuses a folder that holds what no run of the job has put there, so that starting over deletes nothing of anybody else's.</summary>
    public static void RefuseUnlessOurs(string folder, string job)
    {
        if (!Directory.Exists(folder)) return;
        var strange = Directory.EnumerateFileSystemEntries(folder).Select(static entry => System.IO.Path.GetFileName(entry)).FirstOrDefault(static name => name is not (LockName or JobsName or TemporaryName));
        strange ??= JobsIn(folder).FirstOrDefault(other => other != job) is { } other ? $"{JobsName}/{other}" : null;
        if (strange is not null)
            throw new JobRefusedException($"The folder '{folder}' does not look like the checkpoints of '{job}': it holds '{strange}'. Nothing was deleted; give another folder with --checkpoints, or empty this one yourself.");
    }

    /// <summary>Lets the folder go, and removes one in which nothing has begun.</summary>
    public void Dispose()
    {
        try
        {
            if (Directory.Exists(System.IO.Path.Combine(Store.Location, JobsName))) return;
            File.Delete(_lock.Name);
            Directory.Delete(System.IO.Path.Combine(Store.Location, TemporaryName));
            Directory.Delete(Store.Location);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // It holds something else, which stays.
        }
        finally
        {
            _lock.Dispose();
        }
    }

    private static IEnumerable<string> JobsIn(string folder)
    {
        var jobs = System.IO.Path.Combine(folder, JobsName);
        return Directory.Exists(jobs) ? Directory.EnumerateFileSystemEntries(jobs).Select(static entry => System.IO.Path.GetFileName(entry)) : [];
    }

    private static async Task<FileStream> LockAsync(string folder, CancellationToken cancellation)
    {
        for (var waited = TimeSpan.Zero; ; waited += WaitStep)
        {
            try
            {
                return new FileStream(System.IO.Path.Combine(folder, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (UnauthorizedAccessException error)
            {
                throw new JobRefusedException($"The checkpoint folder '{folder}' cannot be written: {error.Message}", error);
            }
            catch (IOException error) when (waited >= LongestWait)
            {
                throw new JobRefusedException($"Another process is running over the checkpoint folder '{folder}': wait until it ends, stop it, or give another folder with --checkpoints.", error);
            }
            catch (IOException)
            {
                await Task.Delay(WaitStep, cancellation);
            }
        }
    }
}
