using System.Collections;
using System.Globalization;
using System.Reflection;

namespace OrleansStream.Tests.Formats;

/// <summary>An object with all it holds as text, by its own properties and not by any serializer: what two objects are compared by whose lists are not equal as such.</summary>
internal static class ObjectText
{
    public static string Of(object? value) => value switch
    {
        null => "null",
        string text => $"\"{text}\"",
        DateTimeOffset at => at.ToString("O", CultureInfo.InvariantCulture),
        IFormattable number when value.GetType().Namespace == nameof(System) => number.ToString(null, CultureInfo.InvariantCulture),
        bool or OrleansStream.Jobs.Attempt or OrleansStream.Jobs.CheckpointId => value.ToString()!,
        IEnumerable items => $"[{string.Join(", ", Ordered(items))}]",
        _ => $"{value.GetType().Name} {{ {string.Join(", ", value.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance).Select(property => $"{property.Name} = {Of(property.GetValue(value))}"))} }}",
    };

    /// <summary>Lists keep their order; maps have none.</summary>
    private static List<string> Ordered(IEnumerable items)
    {
        var texts = items.Cast<object?>().Select(Of).ToList();
        if (items.GetType().GetInterfaces().Any(static type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))) texts.Sort(StringComparer.Ordinal);
        return texts;
    }
}
