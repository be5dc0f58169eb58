using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansStream.State;

namespace OrleansStream.Testing;

/// <summary>The generated serializers of everything that is loaded, made once for the process.</summary>
internal static class TestSerializers
{
    private static readonly Lazy<IServiceProvider> Made = new(static () => new ServiceCollection().AddSerializer().BuildServiceProvider());

    private static readonly Lazy<StateSerializers> OfStateMade = new(static () => new StateSerializers(Services));

    public static IServiceProvider Services => Made.Value;

    public static StateSerializers OfState => OfStateMade.Value;
}
