using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace OrleansStream;

/// <summary>How JSON lines are read and written when the user gives no options of his own.</summary>
internal static class JsonLinesDefaults
{
    public static readonly JsonSerializerOptions Reading = Sealed(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        PropertyNameCaseInsensitive = true,
        AllowDuplicateProperties = false,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    });

    public static readonly JsonSerializerOptions Writing = Sealed(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>The contract of a type under options, which are fixed by this as by their first use.</summary>
    public static JsonTypeInfo<T> TypeOf<T>(JsonSerializerOptions options)
    {
        options.MakeReadOnly(populateMissingResolver: true);
        return (JsonTypeInfo<T>)options.GetTypeInfo(typeof(T));
    }

    private static JsonSerializerOptions Sealed(JsonSerializerOptions options)
    {
        options.Converters.Add(new FiniteDouble());
        options.Converters.Add(new FiniteSingle());
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }

    /// <summary>JSON has no infinity, but a number such as 1e999 is read as one. Thrown as a JSON error, it gets the member's path.</summary>
    private sealed class FiniteDouble : JsonConverter<double>
    {
        public override double Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.Number) throw new JsonException("a number is wanted here");
            return reader.TryGetDouble(out var value) && double.IsFinite(value) ? value : throw new JsonException("the number is not a finite one of 64 bits");
        }

        public override void Write(Utf8JsonWriter writer, double value, JsonSerializerOptions options)
        {
            if (!double.IsFinite(value)) throw new JsonException($"{value} is not a finite number, and JSON has no other");
            writer.WriteNumberValue(value);
        }

        public override double ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            double.TryParse(reader.GetString(), System.Globalization.CultureInfo.InvariantCulture, out var value) && double.IsFinite(value)
                ? value
                : throw new JsonException("the name is not a finite number");

        public override void WriteAsPropertyName(Utf8JsonWriter writer, double value, JsonSerializerOptions options) =>
            writer.WritePropertyName(value.ToString("R", System.Globalization.CultureInfo.InvariantCulture));
    }

    private sealed class FiniteSingle : JsonConverter<float>
    {
        public override float Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.Number) throw new JsonException("a number is wanted here");
            return reader.TryGetSingle(out var value) && float.IsFinite(value) ? value : throw new JsonException("the number is not a finite one of 32 bits");
        }

        public override void Write(Utf8JsonWriter writer, float value, JsonSerializerOptions options)
        {
            if (!float.IsFinite(value)) throw new JsonException($"{value} is not a finite number, and JSON has no other");
            writer.WriteNumberValue(value);
        }
    }
}
