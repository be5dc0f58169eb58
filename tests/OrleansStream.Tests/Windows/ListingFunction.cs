using OrleansStream.Windows;

namespace OrleansStream.Tests.Windows;

/// <summary>Lists the numbers of a window's records as <see cref="Listing"/> does, but from the records themselves.</summary>
internal sealed class ListingFunction<TKey> : WindowFunction<TKey, Numbered, WindowResult<TKey, string>>
    where TKey : notnull
{
    public override void Process(IReadOnlyList<Numbered> records, ref WindowContext<TKey, WindowResult<TKey, string>> context) =>
        context.Emit(new WindowResult<TKey, string>(context.Key, context.Window, Listing.Of(records.Select(static record => record.Number))) { Firing = context.Firing });
}

/// <summary>Hands on what an aggregate listed.</summary>
internal sealed class HandOn : WindowFunction<string, string, WindowResult<string, string>>
{
    public override void Process(IReadOnlyList<string> records, ref WindowContext<string, WindowResult<string, string>> context) =>
        context.Emit(new WindowResult<string, string>(context.Key, context.Window, Assert.Single(records)) { Firing = context.Firing });
}
