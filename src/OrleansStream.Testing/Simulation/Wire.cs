using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using OrleansStream.Exchange;

namespace OrleansStream.Testing.Simulation;

/// <summary>What arrives when an envelope goes from one silo to another: what the generated serializers make of it.</summary>
internal static class Wire
{
    private static readonly Lazy<Serializer<Envelope>> Serializer = new(static () => TestSerializers.Services.GetRequiredService<Serializer<Envelope>>());

    public static Envelope Copy(Envelope envelope) => Serializer.Value.Deserialize(Serializer.Value.SerializeToArray(envelope))!;
}
