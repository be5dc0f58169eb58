using System.Text.Json.Serialization;

namespace OrleansStream.Http;

/// <summary>Where an operation stands.</summary>
[JsonConverter(typeof(LowerCaseNames<OperationState>))]
public enum OperationState
{
    /// <summary>Under way.</summary>
    Running,

    /// <summary>What was asked for has happened, or was so already.</summary>
    Done,

    /// <summary>It has not happened, and will not by itself; the cause says why.</summary>
    Failed,

    /// <summary>The silo that carried it out is gone, and the job's status does not tell what became of it. Ask for the same again: a repeat does no harm.</summary>
    Unknown,
}

/// <summary>Something that was asked of a job and takes a while.</summary>
/// <param name="Id">Its id, which any silo of the cluster understands.</param>
/// <param name="Job">The job's name.</param>
/// <param name="Verb">What was asked for: <c>start</c>, <c>stop</c> or <c>rescale</c>.</param>
/// <param name="State">Where it stands.</param>
/// <param name="Cause">Why it failed; else null.</param>
/// <param name="Detail">What has happened so far, for people; null when there is nothing to say.</param>
/// <param name="Begun">When it was asked for.</param>
/// <param name="Ended">When it was seen to be done or to have failed; null before, and when the silo that saw it is gone.</param>
/// <param name="IsRemembered">Whether the silo that carries it out was asked. If not, the state is told from the job's: the silo is gone, or many operations of this job came after it.</param>
[GenerateSerializer, Immutable, Alias("os.http.Operation")]
public sealed record OperationView(
    [property: Id(0)] string Id,
    [property: Id(1)] string Job,
    [property: Id(2)] string Verb,
    [property: Id(3)] OperationState State,
    [property: Id(4)] string? Cause,
    [property: Id(5)] string? Detail,
    [property: Id(6)] DateTimeOffset Begun,
    [property: Id(7)] DateTimeOffset? Ended,
    [property: Id(8)] bool IsRemembered);

/// <summary>Writes an enum's names in lower case.</summary>
internal sealed class LowerCaseNames<T>() : JsonStringEnumConverter<T>(System.Text.Json.JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
