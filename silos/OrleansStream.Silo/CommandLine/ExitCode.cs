namespace OrleansStream.Silo.CommandLine;

/// <summary>What the process ends with.</summary>
internal static class ExitCode
{
    /// <summary>Done, or nothing was left to do.</summary>
    public const int Done = 0;

    /// <summary>The job failed or was refused.</summary>
    public const int Failed = 1;

    /// <summary>The command line was wrong.</summary>
    public const int Usage = 2;

    /// <summary>Stopped by Ctrl-C or SIGTERM before the end of input; the same command goes on.</summary>
    public const int Interrupted = 130;
}
