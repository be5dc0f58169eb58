using Microsoft.AspNetCore.Http;

namespace OrleansStream.Http;

/// <summary>Makes answers of problem details (RFC 9457).</summary>
internal static class Problem
{
    public static IResult Of(int status, string title, string detail) => Results.Problem(statusCode: status, title: title, detail: detail);

    public static RefusedRequestException Refusal(int status, string title, string detail) => new(Of(status, title, detail), detail);

    public static RefusedRequestException BadBody(string detail) => Refusal(StatusCodes.Status400BadRequest, "The body is wrong", detail);
}

/// <summary>A request that is answered with a problem, thrown where it is found.</summary>
internal sealed class RefusedRequestException(IResult answer, string message) : Exception(message)
{
    public IResult Answer => answer;
}
