using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.OpenApi;

namespace OrleansStream.Http;

/// <summary>What the document says of requests, whose bodies are read member by member.</summary>
internal static class RequestSchemas
{
    public static OpenApiRequestBody Start() => Body(new Dictionary<string, IOpenApiSchema>
    {
        [JobChanges.Parallelism] = new OpenApiSchema
        {
            Type = JsonSchemaType.Integer,
            Minimum = "1",
            Maximum = $"{JobChanges.MostParallelism}",
            Description = "How many subtasks each stage has. Left out: as registered, or as it last ran.",
        },
        [JobChanges.Arguments] = new OpenApiSchema
        {
            Type = JsonSchemaType.Object,
            Description = "The job's own arguments, each a text or several. Left out: as registered, or as it last ran. Refused where the silo does not limit which files jobs may open.",
            AdditionalProperties = new OpenApiSchema
            {
                OneOf = [new OpenApiSchema { Type = JsonSchemaType.String }, new OpenApiSchema { Type = JsonSchemaType.Array, Items = new OpenApiSchema { Type = JsonSchemaType.String } }],
            },
        },
        [JobChanges.RecordsPerSecond] = new OpenApiSchema { Type = JsonSchemaType.Number, ExclusiveMinimum = "0", Description = "The most records a second of each source." },
        [JobChanges.CheckpointInterval] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "Time between checkpoints, for example 500ms, 10s or 5m." },
    });

    public static OpenApiRequestBody Rescale()
    {
        var body = Body(new Dictionary<string, IOpenApiSchema>
        {
            [JobChanges.Parallelism] = new OpenApiSchema { Type = JsonSchemaType.Integer, Minimum = "1", Maximum = $"{JobChanges.MostParallelism}", Description = "How many subtasks each stage is to have." },
        });
        ((OpenApiSchema)body.Content!["application/json"].Schema!).Required = new HashSet<string> { JobChanges.Parallelism };
        return body;
    }

    public static OpenApiRequestBody Stop() => Body(new Dictionary<string, IOpenApiSchema>
    {
        [JobChanges.Reason] = new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = JobChanges.MostReasonCharacters, Description = "Kept in the job's history." },
    });

    public static OpenApiParameter IdempotencyKey() => new()
    {
        Name = JobChanges.KeyHeader,
        In = ParameterLocation.Header,
        Description = "The caller's own name for this request, 1 to 128 characters of ASCII.",
        Schema = new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = JobChanges.MostKeyCharacters },
    };

    /// <summary>Says of the whole document what it is, and what requests must show.</summary>
    public static Task DescribeAsync(OpenApiDocument document, StreamHttpOptions options)
    {
        document.Info = new OpenApiInfo { Title = "OrleansStream", Version = "v1", Description = "The jobs of a cluster of silos: look, start, stop, rescale." };
        // The address is the one that the document was read from.
        document.Servers?.Clear();
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Security ??= [];
        if (options.ApiKeys.Count > 0) Secure(document, "apiKey", new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = Gate.KeyHeader });
        if (options.Jwt is not null) Secure(document, "bearer", new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = JwtBearerDefaults.AuthenticationScheme.ToLowerInvariant(), BearerFormat = "JWT" });
        return Task.CompletedTask;
    }

    private static void Secure(OpenApiDocument document, string name, OpenApiSecurityScheme scheme)
    {
        document.Components!.SecuritySchemes![name] = scheme;
        document.Security!.Add(new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(name, document)] = [] });
    }

    private static OpenApiRequestBody Body(Dictionary<string, IOpenApiSchema> members) => new()
    {
        Required = true,
        Content = new Dictionary<string, OpenApiMediaType>
        {
            ["application/json"] = new() { Schema = new OpenApiSchema { Type = JsonSchemaType.Object, Properties = members, AdditionalPropertiesAllowed = false } },
        },
    };
}
