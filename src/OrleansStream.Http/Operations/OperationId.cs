using System.Globalization;
using System.Text.RegularExpressions;

namespace OrleansStream.Http;

/// <summary>What can be asked of a job.</summary>
internal enum OperationVerb
{
    Start,
    Stop,
    Rescale,
}

/// <summary>
/// The id of an operation, which says by itself what was asked of which job, in which attempt and when: so that an operation can be answered for when nobody remembers it.
/// Written as <c>job.verb.attempt.milliseconds.nonce</c>, a rescale to 4 with <c>rescale-4</c> as its verb.
/// </summary>
internal sealed partial record OperationId(string Job, OperationVerb Verb, int Attempt, DateTimeOffset Begun, string Nonce, int? Parallelism = null)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Job}.{NameOf(Verb)}{(Parallelism is { } to ? $"-{to}" : "")}.{Attempt}.{Begun.ToUnixTimeMilliseconds()}.{Nonce}");

    public static string NameOf(OperationVerb verb) => verb.ToString().ToLowerInvariant();

    public static OperationId? Parse(string text)
    {
        var match = Written().Match(text);
        if (!match.Success) return null;
        var verb = Enum.GetValues<OperationVerb>().Where(verb => NameOf(verb) == match.Groups[2].Value).Cast<OperationVerb?>().FirstOrDefault();
        int? to = match.Groups[3].Success ? int.Parse(match.Groups[3].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture) : null;
        return verb is not null && to is not null == (verb == OperationVerb.Rescale) && int.TryParse(match.Groups[4].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var attempt)
            && long.TryParse(match.Groups[5].ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds) && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? new OperationId(match.Groups[1].Value, verb.Value, attempt, DateTimeOffset.FromUnixTimeMilliseconds(milliseconds), match.Groups[6].Value, to)
            : null;
    }

    [GeneratedRegex(@"^([a-z0-9-]{1,64})\.([a-z]{1,16})(?:-([0-9]{1,5}))?\.([0-9]{1,9})\.([0-9]{1,15})\.([0-9a-f]{16})\z", RegexOptions.CultureInvariant)]
    private static partial Regex Written();
}
