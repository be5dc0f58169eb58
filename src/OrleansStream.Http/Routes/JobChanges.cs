using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using OrleansStream.Hosting;
using OrleansStream.Jobs;
using OrleansStream.State;

namespace OrleansStream.Http;

/// <summary>The routes that change something, and the one that says what has come of it.</summary>
internal static class JobChanges
{
    public const string Parallelism = "parallelism";
    public const string Arguments = "arguments";
    public const string RecordsPerSecond = "recordsPerSecond";
    public const string CheckpointInterval = "checkpointInterval";
    public const string Reason = "reason";
    public const string KeyHeader = "Idempotency-Key";
    public const int MostKeyCharacters = 128;
    public const int MostReasonCharacters = 512;
    public const int MostParallelism = KeyGroups.LargestMaxParallelism;

    private const string NoReason = "Stopped over HTTP.";

    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestInterval = TimeSpan.FromDays(1);

    public static async Task<IResult> StartAsync(string name, HttpContext http, JobOperations operations, FileAccessRules files, IOptions<OrleansStreamOptions> stream, StreamHttpOptions options)
    {
        operations.RequireJob(name);
        var body = await RequestBody.ReadAsync(http.Request, options.MostBodyBytes);
        var start = new StartRequest(
            body.Whole(Parallelism, 1, stream.Value.MaxParallelism), body.Arguments(Arguments), body.Rate(RecordsPerSecond), body.Duration(CheckpointInterval, ShortestInterval, LongestInterval));
        body.RequireNoMore();
        if (start.Arguments is { Names.Count: > 0 } && !files.IsLimited)
        {
            return Problem.Of(
                StatusCodes.Status403Forbidden,
                "No arguments over HTTP",
                "An argument may name a file, and this silo does not limit which files jobs may open: it takes arguments over HTTP when its options name folders (OrleansStreamOptions.Files.Roots).");
        }

        var said = start.Arguments?.ToMap().Select(static pair => $"{pair.Key}={string.Join('\u0001', pair.Value)}") ?? ["-"];
        return await operations.BeginAsync(http, name, new OperationRequest
        {
            Verb = OperationVerb.Start,
            Start = start,
            Key = KeyOf(http.Request),
            Digest = Digest("start", [$"{start.Parallelism}", $"{start.RecordsPerSecond?.ToString("R", CultureInfo.InvariantCulture)}", $"{start.CheckpointInterval?.Ticks}", .. said]),
        });
    }

    public static async Task<IResult> StopAsync(string name, HttpContext http, JobOperations operations, StreamHttpOptions options)
    {
        operations.RequireJob(name);
        var body = await RequestBody.ReadAsync(http.Request, options.MostBodyBytes);
        var reason = body.Text(Reason, MostReasonCharacters);
        body.RequireNoMore();
        return await operations.BeginAsync(http, name, new OperationRequest
        {
            Verb = OperationVerb.Stop,
            Reason = string.IsNullOrWhiteSpace(reason) ? NoReason : reason,
            Key = KeyOf(http.Request),
            Digest = Digest("stop", [reason ?? ""]),
        });
    }

    public static async Task<IResult> RescaleAsync(string name, HttpContext http, JobOperations operations, IOptions<OrleansStreamOptions> stream, StreamHttpOptions options)
    {
        operations.RequireJob(name);
        var body = await RequestBody.ReadAsync(http.Request, options.MostBodyBytes);
        var parallelism = body.Whole(Parallelism, 1, stream.Value.MaxParallelism);
        body.RequireNoMore();
        return await operations.BeginAsync(http, name, new OperationRequest
        {
            Verb = OperationVerb.Rescale,
            Parallelism = parallelism ?? throw Problem.BadBody($"'{Parallelism}' must be given: how many subtasks each stage is to have."),
            Key = KeyOf(http.Request),
            Digest = Digest("rescale", [$"{parallelism}"]),
        });
    }

    public static async Task<IResult> FindAsync(string id, JobOperations operations, CancellationToken cancellation) => Results.Json(await operations.FindAsync(id, cancellation), JobReads.Json);

    private static string? KeyOf(HttpRequest request)
    {
        if (!request.Headers.TryGetValue(KeyHeader, out var given)) return null;
        if (given is [{ Length: > 0 and <= MostKeyCharacters } key] && key.All(static c => c is >= '!' and <= '~')) return key;
        throw Problem.Refusal(StatusCodes.Status400BadRequest, "The key is wrong", $"{KeyHeader} must be given once, with 1 to {MostKeyCharacters} characters of ASCII and no blanks.");
    }

    private static string Digest(string verb, IEnumerable<string> parts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\u0002', parts.Prepend(verb)))));
}
