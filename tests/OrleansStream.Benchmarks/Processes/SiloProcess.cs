using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OrleansStream.Benchmarks.Watches;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Benchmarks.Processes;

/// <summary>The main program of a silo process: it obeys its parent line by line, and does not outlive it.</summary>
internal sealed class SiloProcess : IDisposable
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromSeconds(1);

    private readonly SiloOrder _order;
    private readonly IHost _host;
    private readonly IReadOnlyList<Func<Answer>> _answers;
    private readonly SentBytes _sent = new();
    private TaskCompletionSource<int> _measuring = new();
    private Task<(Measurement Measured, int Result)>? _measured;
    private long? _sentBefore;

    private SiloProcess(SiloOrder order, ISpreadJob job)
    {
        _order = order;

        // A job that has finished cannot be run again: each run has one of its own.
        var jobs = Enumerable.Range(0, order.Settings.Runs + 1).Select(_ => job.Make(order.Settings)).ToList();
        _answers = [.. jobs.Select(static job => job.Answer)];
        _host = EmbeddedSilo.Build(
            builder =>
            {
                builder.AddOrleansStream(options =>
                {
                    options.Checkpoints.Folder = order.Folder;
                    options.Checkpoints.Interval = order.Settings.CheckpointInterval;
                    options.Restarts = RestartStrategy.None;
                    options.ReviveJobs = false;
                });
                foreach (var (run, define) in jobs.Select(static (job, run) => (run, job.Define)))
                {
                    builder.Services.AddSingleton(new JobRegistration(NameOf(run), _ => new LambdaJob(define), new JobStart()));
                }
            },
            order.Ports);
    }

    /// <summary>Runs a silo until the parent lets it go, or is gone itself.</summary>
    public static async Task<int> RunAsync(string orderJson)
    {
        var order = JsonSerializer.Deserialize<SiloOrder>(orderJson)!;
        var commands = Channel.CreateUnbounded<SiloCommand>();
        new Thread(() => ReadCommands(commands.Writer)) { IsBackground = true, Name = "commands" }.Start();
        using var silo = new SiloProcess(order, ((Contest)Workloads.Find(order.Workload)!).SpreadJob!);
        await silo._host.StartAsync();
        await foreach (var command in commands.Reader.ReadAllAsync())
        {
            SiloReply reply;
            try
            {
                reply = await silo.ObeyAsync(command);
            }
            catch (Exception error)
            {
                reply = new SiloReply { Error = error.ToString() };
            }

            await Console.Out.WriteLineAsync(reply.ToLine());
            if (command.Verb == SiloVerb.Leave) return 0;
        }

        return 1;
    }

    public void Dispose()
    {
        _host.Dispose();
        _sent.Dispose();
    }

    /// <summary>The parent closes the input, or the system does when the parent is gone: then nobody waits for what this process still does.</summary>
    private static void ReadCommands(ChannelWriter<SiloCommand> commands)
    {
        while (Console.In.ReadLine() is { } line) commands.TryWrite(JsonSerializer.Deserialize<SiloCommand>(line)!);
        Environment.Exit(1);
    }

    private async Task<SiloReply> ObeyAsync(SiloCommand command)
    {
        switch (command.Verb)
        {
            case SiloVerb.Join:
                await JoinAsync();
                return new SiloReply();
            case SiloVerb.Begin:
                _measuring = new TaskCompletionSource<int>();
                _measured = Measurement.OfAsync(() => _measuring.Task);
                _sentBefore = _sent.Total;
                return new SiloReply();
            case SiloVerb.Run:
                return new SiloReply { Ran = await RunJobAsync(NameOf(command.Run)) };
            case SiloVerb.End:
                _measuring.SetResult(0);
                return new SiloReply { Measured = (await _measured!).Measured, Answer = _answers[command.Run](), SentBytes = _sent.Total - _sentBefore };
            default:
                await _host.StopAsync();
                return new SiloReply();
        }
    }

    private async Task JoinAsync()
    {
        var membership = _host.Services.GetRequiredService<IClusterMembershipService>();
        await foreach (var cluster in membership.MembershipUpdates)
        {
            if (cluster.Members.Values.Count(static member => member.Status == SiloStatus.Active) == _order.Settings.Silos) return;
        }
    }

    private async Task<SpreadRun> RunJobAsync(string job)
    {
        var jobs = _host.Services.GetRequiredService<IStreamJobs>();
        var began = Stopwatch.GetTimestamp();
        await jobs.StartAsync(job, new JobStart { Parallelism = _order.Settings.Parallelism });
        await using var watch = new CheckpointWatch(jobs, job, StatusInterval);
        var status = await jobs.WaitForEndAsync(job);
        var time = Stopwatch.GetElapsedTime(began);
        watch.Add(status);
        return status.Phase == JobPhase.Finished
            ? new SpreadRun(time, status.Stages, watch.Complete)
            : throw new InvalidOperationException($"The job ended as {status.Phase}: {status.Cause}");
    }

    private static string NameOf(int run) => FormattableString.Invariant($"run-{run}");
}
