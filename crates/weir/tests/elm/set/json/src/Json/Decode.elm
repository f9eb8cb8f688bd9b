module Json.Decode exposing (Value)

{-| A stub.

@docs Value

-}


{-| -}
type Value
    = Value
