using Microsoft.AspNetCore.Http;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>Reaches the operations of jobs, which a grain of each job keeps.</summary>
internal sealed class JobOperations(IGrainFactory grains, JobRegistry jobs, StreamHttpOptions options)
{
    /// <summary>Refuses a name of no job, with the nearest that is one.</summary>
    public void RequireJob(string name)
    {
        JobReads.RequireName(name);
        try
        {
            jobs.Find(name);
        }
        catch (JobRefusedException unknown)
        {
            throw JobReads.Unknown(unknown);
        }
    }

    public async Task<IResult> BeginAsync(HttpContext http, string job, OperationRequest request)
    {
        var answer = await grains.GetGrain<IOperationsGrain>(job).BeginAsync(request).WaitAsync(options.LongestAnswer, TimeProvider.System, http.RequestAborted);
        if (answer.Operation is not { } operation)
        {
            return answer.IsKeyTaken
                ? Problem.Of(StatusCodes.Status422UnprocessableEntity, "The key was used before", answer.Conflict!)
                : Problem.Of(StatusCodes.Status409Conflict, "Not as the job stands", answer.Conflict!);
        }

        http.Response.Headers.Location = $"{http.Request.PathBase}/api/operations/{operation.Id}";
        return Results.Json(operation, JobReads.Json, statusCode: StatusCodes.Status202Accepted);
    }

    public async Task<OperationView> FindAsync(string id, CancellationToken cancellation)
    {
        if (OperationId.Parse(id) is not { } parsed) throw Problem.Refusal(StatusCodes.Status400BadRequest, "No operation's id", "Ask with an id as the answer to a start or stop gave it.");
        RequireJob(parsed.Job);
        return await grains.GetGrain<IOperationsGrain>(parsed.Job).FindAsync(id).WaitAsync(options.LongestAnswer, TimeProvider.System, cancellation);
    }
}
