using System.CommandLine;
using System.Text.Json;
using OrleansStream.Http;
using OrleansStream.Silo.Terminal;

namespace OrleansStream.Silo.CommandLine.Client;

/// <summary><c>status JOB</c>, <c>checkpoints JOB</c> and <c>jobs --url URL</c>: what a running cluster says.</summary>
internal static class ClientReads
{
    private static readonly JsonSerializerOptions Indented = new(JobReads.Json) { WriteIndented = true };

    public static Command Status(Screen screen, Guard guard) => OfJob<JobView>("status", "Show how a job of a running cluster is doing.", "", ClientTables.Job, screen, guard);

    public static Command Checkpoints(Screen screen, Guard guard) =>
        OfJob<List<CheckpointView>>("checkpoints", "List the latest checkpoints of a job of a running cluster, newest first.", "/checkpoints", ClientTables.Checkpoints, screen, guard);

    public static Task<int> JobsAsync(Uri url, bool asJson, Screen screen, CancellationToken cancellation) =>
        ShowAsync<List<JobSummary>>(url, "api/jobs", asJson, static jobs => ClientTables.Jobs(jobs, TimeProvider.System.GetUtcNow()), screen, cancellation);

    /// <summary>Prints a value as a program wants it.</summary>
    public static void ShowJson<T>(T value, Screen screen) => screen.WriteLine(JsonSerializer.Serialize(value, Indented));

    /// <summary>Opens a client, and warns when its key can be read on the way.</summary>
    public static ClusterClient Open(Uri url, Screen screen)
    {
        var client = new ClusterClient(url);
        if (client.ShowsKey) screen.WriteError($"warning: the API key goes to {url.Host} without encryption, readable for everybody on the way: use https.");
        return client;
    }

    private static Command OfJob<T>(string name, string description, string path, Func<T, IEnumerable<string>> show, Screen screen, Guard guard)
    {
        var job = ClientOptions.Job();
        var options = new ClientOptions();
        var command = new Command(name, description) { job, options.Url, options.Json };
        command.SetAction(guard((parsed, _, cancellation) => ShowAsync(
            options.UrlIn(parsed), $"api/jobs/{Uri.EscapeDataString(parsed.GetRequiredValue(job))}{path}", parsed.GetValue(options.Json), show, screen, cancellation)));
        return command;
    }

    private static async Task<int> ShowAsync<T>(Uri url, string path, bool asJson, Func<T, IEnumerable<string>> show, Screen screen, CancellationToken cancellation)
    {
        using var client = Open(url, screen);
        var answer = await client.GetAsync<T>(path, cancellation);
        if (asJson) ShowJson(answer, screen);
        else foreach (var line in show(answer)) screen.WriteLine(line);
        return ExitCode.Done;
    }
}
