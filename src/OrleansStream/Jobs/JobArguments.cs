using System.Globalization;
using System.Text.RegularExpressions;

namespace OrleansStream.Jobs;

/// <summary>What a job was started with: names, each with one or several values. They travel to every silo and are kept in the job's history.</summary>
[GenerateSerializer, Immutable, Alias("os.JobArguments")]
public sealed partial class JobArguments
{
    [Id(0)]
    private readonly Dictionary<string, string[]> _values;

    /// <summary>Makes arguments of names with their values, in order.</summary>
    public JobArguments(IEnumerable<KeyValuePair<string, string>>? values = null) =>
        _values = (values ?? []).GroupBy(static pair => pair.Key, static pair => pair.Value).ToDictionary(static group => group.Key, static group => group.ToArray());

    /// <summary>No arguments.</summary>
    public static JobArguments None { get; } = new();

    /// <summary>The names that have values, sorted.</summary>
    public IReadOnlyList<string> Names => [.. _values.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The values of a name, in order; empty when there are none.</summary>
    public IReadOnlyList<string> GetAll(string name) => _values.GetValueOrDefault(name, []);

    /// <summary>The one value of a name; null when there is none.</summary>
    /// <exception cref="JobRefusedException">There are several.</exception>
    public string? Get(string name) => GetAll(name) switch
    {
        [] => null,
        [var one] => one,
        var several => throw new JobRefusedException($"Argument '{name}' is given {several.Count} times; the job takes one."),
    };

    /// <summary>The one value of a name.</summary>
    /// <exception cref="JobRefusedException">There is none, or several.</exception>
    public string Require(string name) => Get(name) ?? throw new JobRefusedException($"The job needs an argument '{name}'.");

    /// <summary>A duration such as <c>200ms</c>, <c>10s</c>, <c>5m</c>, <c>1h</c>, <c>1d</c> or <c>00:05:00</c>.</summary>
    /// <exception cref="JobRefusedException">The value is no duration.</exception>
    public TimeSpan GetDuration(string name, TimeSpan otherwise) => Get(name) is { } text ? ParseDuration(text) ?? throw new JobRefusedException(
        $"Argument '{name}' is '{text}', which is no duration; write for example 200ms, 10s, 5m, 1h or 1d.") : otherwise;

    /// <summary>A number.</summary>
    /// <exception cref="JobRefusedException">The value is no finite number.</exception>
    public double? GetNumber(string name) => Get(name) is { } text
        ? double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number
            : throw new JobRefusedException($"Argument '{name}' is '{text}', which is no number.")
        : null;

    /// <summary>A whole number.</summary>
    /// <exception cref="JobRefusedException">The value is no whole number.</exception>
    public long? GetInteger(string name) => Get(name) is { } text
        ? long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : throw new JobRefusedException($"Argument '{name}' is '{text}', which is no whole number.")
        : null;

    /// <summary>Reads a duration; null when the text is none.</summary>
    public static TimeSpan? ParseDuration(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var match = Duration().Match(text);
        if (match.Success && double.TryParse(match.Groups[1].ValueSpan, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount))
        {
            var unit = match.Groups[2].Value switch
            {
                "ms" => TimeSpan.TicksPerMillisecond,
                "s" => TimeSpan.TicksPerSecond,
                "m" or "min" => TimeSpan.TicksPerMinute,
                "h" => TimeSpan.TicksPerHour,
                _ => TimeSpan.TicksPerDay,
            };
            return amount * unit < TimeSpan.MaxValue.Ticks ? TimeSpan.FromTicks((long)(amount * unit)) : null;
        }

        return text.Contains(':', StringComparison.Ordinal) && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var span) && span >= TimeSpan.Zero ? span : null;
    }

    /// <summary>Every name with every value, for the history.</summary>
    internal SortedDictionary<string, string[]> ToMap() => new(_values, StringComparer.Ordinal);

    internal static JobArguments FromMap(IEnumerable<KeyValuePair<string, string[]>> map) =>
        new(map.SelectMany(static pair => pair.Value.Select(value => KeyValuePair.Create(pair.Key, value))));

    [GeneratedRegex(@"^([0-9]+(?:\.[0-9]+)?)(ms|s|m|min|h|d)\z", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();
}
