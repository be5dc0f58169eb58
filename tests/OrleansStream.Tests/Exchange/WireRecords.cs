namespace OrleansStream.Tests.Exchange;

/// <summary>A record of numbers only.</summary>
[GenerateSerializer, Immutable]
public readonly record struct Trade([property: Id(0)] long Account, [property: Id(1)] double Amount, [property: Id(2)] int Venue, [property: Id(3)] bool IsSale);

/// <summary>A record with references.</summary>
[GenerateSerializer, Immutable]
public readonly record struct Quote([property: Id(0)] string? Symbol, [property: Id(1)] decimal Price);

/// <summary>A record that is a class.</summary>
[GenerateSerializer, Immutable]
public sealed record Order([property: Id(0)] string Account, [property: Id(1)] long Number, [property: Id(2)] Order? Replaces = null);

/// <summary>A record that is large, and one block of numbers.</summary>
[GenerateSerializer, Immutable, System.Runtime.CompilerServices.InlineArray(Length)]
public struct Page : IEquatable<Page>
{
    public const int Length = 2000;

    [Id(0)]
    private long _first;

    public static Page Of(long number)
    {
        var page = default(Page);
        ((Span<long>)page).Fill(number);
        return page;
    }

    public static bool operator ==(Page left, Page right) => left.Equals(right);

    public static bool operator !=(Page left, Page right) => !left.Equals(right);

    public readonly bool Equals(Page other) => ((ReadOnlySpan<long>)this).SequenceEqual(other);

    public override readonly bool Equals(object? obj) => obj is Page other && Equals(other);

    public override readonly int GetHashCode() => this[0].GetHashCode();
}

/// <summary>A number that means something in its own process only, as an index into a table of names does; between processes the name goes.</summary>
public readonly record struct Interned(int Index);

/// <summary>A generated serializer over a part that has a serializer of its own.</summary>
[GenerateSerializer, Immutable]
public readonly record struct Holding([property: Id(0)] Interned Name, [property: Id(1)] long Amount);

/// <summary>What goes for an interned name.</summary>
[GenerateSerializer]
public struct InternedName
{
    [Id(0)]
    public string Name;
}

/// <summary>Stands for two tables that number the same names apart.</summary>
[RegisterConverter]
public sealed class InternedConverter : IConverter<Interned, InternedName>
{
    public const int Apart = 1000;

    public Interned ConvertFromSurrogate(in InternedName surrogate) => new(int.Parse(surrogate.Name, System.Globalization.CultureInfo.InvariantCulture) + Apart);

    public InternedName ConvertToSurrogate(in Interned value) => new() { Name = value.Index.ToString(System.Globalization.CultureInfo.InvariantCulture) };
}
