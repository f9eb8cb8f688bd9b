module Json.Encode exposing (Value)

{-| A stub.

@docs Value

-}


{-| -}
type Value
    = Value
