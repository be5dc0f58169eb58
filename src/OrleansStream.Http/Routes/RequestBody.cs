using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using OrleansStream.Hosting;
using OrleansStream.Jobs;

namespace OrleansStream.Http;

/// <summary>A body of one JSON object, read member by member; what is not asked for is refused at the end.</summary>
internal sealed class RequestBody
{
    private const int MostDepth = 8;
    private const int MostArguments = 64;
    private const int MostValues = 256;
    private const int MostNameCharacters = 64;
    private const int MostValueCharacters = 4096;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MostDepth, AllowDuplicateProperties = false };

    private readonly JsonElement _root;
    private readonly List<string> _known = [];

    private RequestBody(JsonElement root) => _root = root;

    /// <summary>Reads the body of a request; an empty one is an empty object.</summary>
    /// <exception cref="RefusedRequestException">It is too large, or no JSON object.</exception>
    public static async Task<RequestBody> ReadAsync(HttpRequest request, int mostBytes)
    {
        if (request.ContentLength > mostBytes) throw TooLarge(mostBytes);
        using var body = new MemoryStream();
        var block = new byte[Math.Min(mostBytes, 16 * 1024)];
        while (await request.Body.ReadAsync(block, request.HttpContext.RequestAborted) is var read and > 0)
        {
            if (body.Length + read > mostBytes) throw TooLarge(mostBytes);
            body.Write(block, 0, read);
        }

        return Parse(body.GetBuffer().AsMemory(0, (int)body.Length));
    }

    internal static RequestBody Parse(ReadOnlyMemory<byte> body)
    {
        if (body.IsEmpty) body = "{}"u8.ToArray();
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw Problem.BadBody($"It must be a JSON object, and is {Kind(document.RootElement)}.");
            return new RequestBody(document.RootElement.Clone());
        }
        catch (JsonException error)
        {
            throw Problem.BadBody($"It is no JSON that can be read, at line {error.LineNumber + 1}, byte {error.BytePositionInLine + 1} of it; a member may be there once, objects may be {MostDepth} deep.");
        }
    }

    public int? Whole(string name, int least, int most)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most) return number;
        throw Problem.BadBody($"'{name}' must be a whole number from {least} to {most}, and is {Shown(value)}.");
    }

    public double? Rate(string name)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number) && number > 0) return number;
        throw Problem.BadBody($"'{name}' must be a number above 0, and is {Shown(value)}.");
    }

    public TimeSpan? Duration(string name, TimeSpan least, TimeSpan most)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind == JsonValueKind.String && JobArguments.ParseDuration(value.GetString()!) is { } duration && duration >= least && duration <= most) return duration;
        throw Problem.BadBody(string.Create(CultureInfo.InvariantCulture, $"'{name}' must be a duration such as \"500ms\", \"10s\" or \"5m\", from {least} to {most}, and is {Shown(value)}."));
    }

    public string? Text(string name, int mostCharacters)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.String) throw Problem.BadBody($"'{name}' must be a text, and is {Shown(value)}.");
        var text = value.GetString()!;
        if (text.Length > mostCharacters) throw Problem.BadBody($"'{name}' has {text.Length} characters; it may have {mostCharacters}.");
        if (text.Any(char.IsControl)) throw Problem.BadBody($"'{name}' has control characters.");
        return text;
    }

    /// <summary>Arguments of a job: an object, each member a text or an array of texts. Null when they are not given.</summary>
    public JobArguments? Arguments(string name)
    {
        if (Member(name) is not { } value) return null;
        if (value.ValueKind != JsonValueKind.Object) throw Problem.BadBody($"'{name}' must be an object of texts, or of arrays of texts, and is {Shown(value)}.");
        var pairs = new List<KeyValuePair<string, string>>();
        foreach (var argument in value.EnumerateObject())
        {
            if (argument.Name.Length is 0 or > MostNameCharacters || argument.Name.Any(static c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.')))
                throw Problem.BadBody($"An argument's name must have 1 to {MostNameCharacters} letters, digits, '-', '_' and '.'.");
            if (argument.Value.ValueKind == JsonValueKind.Array) pairs.AddRange(argument.Value.EnumerateArray().Select(one => KeyValuePair.Create(argument.Name, ArgumentValue(argument.Name, one))));
            else pairs.Add(KeyValuePair.Create(argument.Name, ArgumentValue(argument.Name, argument.Value)));
        }

        if (value.EnumerateObject().Count() > MostArguments || pairs.Count > MostValues) throw Problem.BadBody($"'{name}' may have {MostArguments} names with {MostValues} values together.");
        return new JobArguments(pairs);
    }

    /// <summary>Refuses members that nothing has asked for.</summary>
    public void RequireNoMore()
    {
        foreach (var member in _root.EnumerateObject())
        {
            if (_known.Contains(member.Name)) continue;
            var name = member.Name.Length > MostNameCharacters ? $"{member.Name[..MostNameCharacters]}…" : member.Name;
            throw Problem.BadBody($"There is no member '{name}'.{(_known.Count > 0 ? NearestName.Suggest(name, _known) : " It must be empty.")}");
        }
    }

    private JsonElement? Member(string name)
    {
        _known.Add(name);
        return _root.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;
    }

    private static string ArgumentValue(string name, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) throw Problem.BadBody($"Argument '{name}' must be a text or an array of texts, and has {Shown(value)}.");
        var text = value.GetString()!;
        if (text.Length > MostValueCharacters) throw Problem.BadBody($"Argument '{name}' has a value of {text.Length} characters; it may have {MostValueCharacters}.");
        if (text.Any(char.IsControl)) throw Problem.BadBody($"Argument '{name}' has control characters.");
        return text;
    }

    private static string Shown(JsonElement value) => value.ValueKind is JsonValueKind.Number or JsonValueKind.String && value.GetRawText() is { Length: <= MostNameCharacters } text ? text : Kind(value);

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };

    private static RefusedRequestException TooLarge(int mostBytes) =>
        Problem.Refusal(StatusCodes.Status413PayloadTooLarge, "The body is too large", string.Create(CultureInfo.InvariantCulture, $"A body may have {mostBytes:N0} bytes."));
}
