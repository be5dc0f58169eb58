using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;
using OrleansStream.Graph;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>The routes that only look.</summary>
internal static class JobReads
{
    public static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.Never };

    public static async Task<IResult> ListAsync(IStreamJobs jobs, StreamHttpOptions options, CancellationToken cancellation) => Results.Json(
        (await Task.WhenAll(jobs.Names.Select(jobs.GetStatusAsync)).WaitAsync(options.LongestAnswer, TimeProvider.System, cancellation)).Select(JobSummary.Of).ToList(), Json);

    public static async Task<IResult> ShowAsync(string name, IStreamJobs jobs, StreamHttpOptions options, CancellationToken cancellation) =>
        Results.Json(JobView.Of(await StatusAsync(name, jobs, options, cancellation)), Json);

    public static async Task<IResult> CheckpointsAsync(string name, IStreamJobs jobs, StreamHttpOptions options, CancellationToken cancellation) =>
        Results.Json((await StatusAsync(name, jobs, options, cancellation)).Checkpoints.Select(CheckpointView.Of).ToList(), Json);

    /// <summary>Refuses a name that no job can have, before anything else is done with it.</summary>
    public static void RequireName(string name)
    {
        if (!JobGraph.Named().IsMatch(name)) throw Problem.Refusal(StatusCodes.Status400BadRequest, "No job's name", "A job's name has 1 to 64 characters of a-z, 0-9 and '-'.");
    }

    public static RefusedRequestException Unknown(JobRefusedException unknown) => Problem.Refusal(StatusCodes.Status404NotFound, "No such job", unknown.Message);

    private static async Task<JobStatus> StatusAsync(string name, IStreamJobs jobs, StreamHttpOptions options, CancellationToken cancellation)
    {
        RequireName(name);
        try
        {
            return await jobs.GetStatusAsync(name).WaitAsync(options.LongestAnswer, TimeProvider.System, cancellation);
        }
        catch (JobRefusedException unknown)
        {
            throw Unknown(unknown);
        }
    }
}
