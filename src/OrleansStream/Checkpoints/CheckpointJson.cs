using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using OrleansStream.Jobs;

namespace OrleansStream.Checkpoints;

/// <summary>The JSON inside framed objects. Strict: a missing, null or unknown member is refused, never guessed at.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    Converters = [typeof(AttemptJson), typeof(CheckpointIdJson)])]
[JsonSerializable(typeof(LogEntry))]
[JsonSerializable(typeof(Manifest))]
internal sealed partial class CheckpointJson : JsonSerializerContext
{
    /// <summary>Encodes and frames.</summary>
    public static byte[] Encode<T>(ObjectKind kind, T value, JsonTypeInfo<T> type) => ObjectFrame.Wrap(kind, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>In the order of names, so that the same content has the same bytes, however it was put together.</summary>
    public static IReadOnlyDictionary<string, T> ByName<T>(IReadOnlyDictionary<string, T> map) =>
        new SortedDictionary<string, T>(map.ToDictionary(StringComparer.Ordinal), StringComparer.Ordinal);

    /// <summary>Checks the frame and decodes.</summary>
    /// <exception cref="DamagedObjectException">The bytes are not those that were written, or not in this format.</exception>
    public static T Decode<T>(string name, ObjectKind kind, ReadOnlyMemory<byte> bytes, JsonTypeInfo<T> type)
        where T : class
    {
        var payload = ObjectFrame.Unwrap(name, kind, bytes);
        try
        {
            return JsonSerializer.Deserialize(payload.Span, type) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            throw new DamagedObjectException(name, $"its checksum is right but its content is not that of a {kind}: {e.Message}");
        }
    }

    private sealed class AttemptJson : JsonConverter<Attempt>
    {
        public override Attempt Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var number = reader.GetInt32();
            return number >= 1 ? new Attempt(number) : throw new JsonException($"{number} is no attempt");
        }

        public override void Write(Utf8JsonWriter writer, Attempt value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Number);
    }

    private sealed class CheckpointIdJson : JsonConverter<CheckpointId>
    {
        public override CheckpointId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var text = reader.GetString() ?? "";
            var dash = text.IndexOf('-', StringComparison.Ordinal);
            return dash > 0
                && int.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var attempt)
                && attempt >= 1
                && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? new CheckpointId(new Attempt(attempt), number)
                : throw new JsonException($"'{text}' is no checkpoint id");
        }

        public override void Write(Utf8JsonWriter writer, CheckpointId value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
    }
}
